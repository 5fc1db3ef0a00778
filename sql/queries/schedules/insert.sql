INSERT INTO schedules (id, created, updated, deployment_id, slug, schedule, active, parameters)
VALUES (:id, :created, :updated, :deployment_id, :slug, :schedule, :active, :parameters)

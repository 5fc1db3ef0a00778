INSERT INTO schedules (id, created, updated, deployment_id, slug, schedule, active, max_scheduled_runs, parameters)
VALUES (:id, :created, :updated, :deployment_id, :slug, :schedule, :active, :max_scheduled_runs, :parameters)

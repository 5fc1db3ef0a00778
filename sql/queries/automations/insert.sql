INSERT INTO automations (id, created, updated, name, enabled, tags, plan)
VALUES (:id, :now, :now, :name, :enabled, :tags, :plan)

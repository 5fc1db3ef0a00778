UPDATE automations
SET updated = :now, name = :name, enabled = :enabled, tags = :tags, plan = :plan
WHERE id = :id

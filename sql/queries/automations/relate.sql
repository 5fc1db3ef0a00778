INSERT INTO automation_resources (resource_id, automation_id, is_owner)
VALUES (:resource_id, :id, :is_owner)
ON CONFLICT DO UPDATE SET is_owner = max(is_owner, excluded.is_owner)

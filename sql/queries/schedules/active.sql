SELECT id, updated FROM deployments
WHERE schedule IS NOT NULL AND is_schedule_active = 1 AND id > :after
ORDER BY id LIMIT :limit

DELETE FROM logs WHERE id IN (SELECT id FROM logs LIMIT :limit)

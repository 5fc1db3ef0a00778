DELETE FROM logs WHERE id IN (SELECT id FROM logs WHERE task_run_id = :id LIMIT :limit)

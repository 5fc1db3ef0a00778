DELETE FROM task_run_states WHERE id IN (SELECT id FROM task_run_states WHERE run_id = :id LIMIT :limit)

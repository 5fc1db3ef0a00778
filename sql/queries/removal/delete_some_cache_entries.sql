DELETE FROM task_run_state_cache WHERE id IN (SELECT id FROM task_run_state_cache LIMIT :limit)

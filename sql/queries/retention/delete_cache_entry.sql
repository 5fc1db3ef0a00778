DELETE FROM task_run_state_cache WHERE id = :id

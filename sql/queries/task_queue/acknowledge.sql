UPDATE task_queue SET is_acknowledged = 1 WHERE task_run_id = :id AND holder = :holder

DELETE FROM task_queue WHERE task_run_id = :id

UPDATE task_queue SET holder = :holder, client = :client, is_acknowledged = 0, turn = 0
WHERE task_run_id = :id

INSERT INTO task_queue (task_run_id, task_key, turn, enqueued, due)
VALUES (:id, :task_key, :turn, :now, :now)
ON CONFLICT (task_run_id) DO UPDATE
SET turn = :turn, enqueued = :now, due = :now, holder = NULL, client = NULL, is_acknowledged = 0

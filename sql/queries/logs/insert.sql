INSERT INTO logs (id, created, name, level, message, timestamp, flow_run_id, task_run_id, stream)
VALUES (:id, :now, :name, :level, :message, :timestamp, :flow_run_id, :task_run_id, :stream)

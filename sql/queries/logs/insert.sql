INSERT INTO logs (id, created, name, level, message, timestamp, flow_run_id, task_run_id, stream)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)

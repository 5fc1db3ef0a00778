SELECT task_runs.id, task_runs.flow_run_id, s.timestamp, s.id, s.type
FROM task_runs LEFT JOIN task_run_states AS s ON s.id = task_runs.state_id
WHERE flow_run_id = :flow_run_id AND task_key = :task_key AND dynamic_key = :dynamic_key

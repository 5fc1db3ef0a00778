SELECT task_runs.id, task_runs.flow_run_id, s.timestamp, s.id, s.type
FROM task_runs LEFT JOIN task_run_states AS s ON s.id = task_runs.state_id
WHERE task_runs.id = :id

SELECT flow_runs.id
FROM task_runs CROSS JOIN flow_runs ON flow_runs.parent_task_run_id = task_runs.id
WHERE task_runs.flow_run_id = :id AND flow_runs.parent_task_run_id IS NOT NULL AND flow_runs.state_type IN ({live})
LIMIT :limit

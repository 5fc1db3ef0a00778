-- What one flow run did: its task runs, each with the sub-flow's run that it stands for.
SELECT task_runs.id, task_runs.name, task_runs.state_type, task_runs.start_time,
       task_runs.expected_start_time, task_runs.end_time, task_runs.task_inputs,
       child.id, child.name, flows.name, child.state_type, child.start_time,
       child.expected_start_time, child.end_time
FROM task_runs
LEFT JOIN flow_runs AS child ON child.parent_task_run_id = task_runs.id
LEFT JOIN flows ON flows.id = child.flow_id
WHERE task_runs.flow_run_id = :id
LIMIT :limit

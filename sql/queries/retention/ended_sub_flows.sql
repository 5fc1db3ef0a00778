SELECT id FROM flow_runs INDEXED BY flow_runs_by_parent
WHERE parent_task_run_id = :id AND state_type IN ({terminal})

SELECT id FROM flow_runs WHERE parent_task_run_id = :id AND state_type IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED')

SELECT count(*) FROM flow_runs
WHERE claimed_by = :agent AND state_type IN ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING')

DELETE FROM flow_runs
WHERE deployment_id = :deployment_id AND auto_scheduled = 1 AND state_type = 'SCHEDULED'

SELECT count(*) FROM flow_runs INDEXED BY flow_runs_due
WHERE next_scheduled_start_time < :due AND state_type = 'SCHEDULED' AND deployment_id IS NOT NULL

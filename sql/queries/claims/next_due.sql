SELECT next_scheduled_start_time FROM flow_runs INDEXED BY flow_runs_due
WHERE next_scheduled_start_time IS NOT NULL AND state_type = 'SCHEDULED' AND deployment_id IS NOT NULL
ORDER BY next_scheduled_start_time
LIMIT 1

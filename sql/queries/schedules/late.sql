SELECT id, next_scheduled_start_time FROM flow_runs INDEXED BY flow_runs_not_late
WHERE state_type = 'SCHEDULED' AND next_scheduled_start_time < :before AND state_name = 'Scheduled'
ORDER BY next_scheduled_start_time LIMIT :limit

SELECT id FROM flow_runs INDEXED BY flow_runs_next_of_flow
WHERE flow_id = :flow_id AND state_type = 'SCHEDULED' AND next_scheduled_start_time IS NOT NULL
ORDER BY next_scheduled_start_time LIMIT 1

SELECT id FROM flow_runs INDEXED BY flow_runs_awaiting_slot
WHERE deployment_id = :deployment_id AND state_type = 'SCHEDULED' AND state_name = 'AwaitingConcurrencySlot'
  AND next_scheduled_start_time > :now
ORDER BY expected_start_time LIMIT 1

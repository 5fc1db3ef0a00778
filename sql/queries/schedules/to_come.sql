SELECT count(*), max(next_scheduled_start_time) FROM flow_runs
WHERE deployment_id = :deployment_id AND auto_scheduled = 1 AND state_type = 'SCHEDULED'
  AND next_scheduled_start_time >= :now

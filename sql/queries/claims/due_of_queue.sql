-- A run that its own process tries again is nobody else's.
SELECT id, next_scheduled_start_time FROM flow_runs
WHERE work_queue_id = :queue AND state_type = 'SCHEDULED'
  AND next_scheduled_start_time BETWEEN :after AND :before
  AND json_extract(empirical_policy, '$.retry_type') IS NOT 'in_process'
ORDER BY next_scheduled_start_time
LIMIT :limit

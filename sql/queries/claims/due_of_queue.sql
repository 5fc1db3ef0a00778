-- A run that its own process tries again is nobody else's. To this daemon's agent neither is one whose infrastructure
-- is a block that only an agent of Prefect 2 makes something of.
SELECT r.id, r.next_scheduled_start_time FROM flow_runs AS r
WHERE r.work_queue_id = :queue AND r.state_type = 'SCHEDULED'
  AND r.next_scheduled_start_time BETWEEN :after AND :before
  AND json_extract(r.empirical_policy, '$.retry_type') IS NOT 'in_process'
  AND NOT (:ours AND {foreign})
ORDER BY r.next_scheduled_start_time
LIMIT :limit

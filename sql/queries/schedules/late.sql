-- Those of work pools and of servers of their own flows are given longer.
SELECT id, next_scheduled_start_time FROM flow_runs INDEXED BY flow_runs_not_late
WHERE state_type = 'SCHEDULED' AND next_scheduled_start_time < :before AND state_name = 'Scheduled'
  AND (next_scheduled_start_time < :before_modern OR NOT (work_queue_id IS NOT NULL OR infrastructure_kind IS :served))
ORDER BY next_scheduled_start_time LIMIT :limit

SELECT id, next_scheduled_start_time FROM flow_runs INDEXED BY flow_runs_due_free
WHERE next_scheduled_start_time <= :now AND state_type = 'SCHEDULED' AND deployment_id IS NOT NULL
  AND work_queue_id IS NULL AND infrastructure_kind IS NOT 'served'
  AND (:containers OR infrastructure_kind IS NOT 'docker')
ORDER BY next_scheduled_start_time
LIMIT :limit

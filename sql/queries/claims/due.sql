SELECT id, next_scheduled_start_time FROM flow_runs INDEXED BY flow_runs_due
WHERE next_scheduled_start_time <= :now AND state_type = 'SCHEDULED' AND deployment_id IS NOT NULL
  AND (:containers OR infrastructure_kind IS NOT 'docker')
ORDER BY next_scheduled_start_time
LIMIT :limit

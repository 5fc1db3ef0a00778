SELECT r.id, r.created, r.updated, r.name, r.flow_id, r.deployment_id, r.flow_version, r.parameters,
       r.idempotency_key, r.context, r.empirical_policy, r.empirical_config, r.tags, r.parent_task_run_id,
       r.auto_scheduled, r.infrastructure_kind, r.infrastructure_config, r.created_by,
       r.claimed_by, r.claimed_at, r.infrastructure_id,
       r.run_count, r.expected_start_time, r.next_scheduled_start_time, r.start_time, r.end_time, r.total_run_time,
       s.id, s.type, s.name, s.timestamp, s.message, s.data, s.state_details
FROM flow_runs AS r LEFT JOIN flow_run_states AS s ON s.id = r.state_id
-- The partial index on open outputs serves.
WHERE r.claimed_by = :agent
  AND r.output_open = 1
  AND r.state_type NOT IN ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING')
ORDER BY r.id

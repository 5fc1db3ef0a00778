flow_runs.id, flow_runs.created, flow_runs.updated, flow_runs.name, flow_runs.flow_id, flow_runs.deployment_id,
       flow_runs.flow_version, flow_runs.parameters, flow_runs.idempotency_key, flow_runs.context,
       flow_runs.empirical_policy, flow_runs.empirical_config, flow_runs.tags, flow_runs.parent_task_run_id,
       flow_runs.auto_scheduled, flow_runs.infrastructure_kind, flow_runs.infrastructure_config, flow_runs.created_by,
       flow_runs.claimed_by, flow_runs.claimed_at, flow_runs.infrastructure_id,
       flow_runs.run_count, flow_runs.expected_start_time, flow_runs.next_scheduled_start_time,
       flow_runs.start_time, flow_runs.end_time, flow_runs.total_run_time,
       {state}

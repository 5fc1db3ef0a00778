INSERT INTO flow_runs (id, created, updated, name, flow_id, deployment_id, flow_version, parameters, idempotency_key,
                       context, tags, parent_task_run_id, auto_scheduled, infrastructure_kind, infrastructure_config,
                       created_by, run_count, expected_start_time, next_scheduled_start_time, start_time, end_time,
                       state_id, state_type, state_name)
VALUES (:id, :now, :now, :name, :flow_id, :deployment_id, :flow_version, :parameters, :idempotency_key,
        :context, :tags, :parent_task_run_id, :auto_scheduled, :infrastructure_kind, :infrastructure_config,
        :created_by, :run_count, :expected_start_time, :next_scheduled_start_time, :start_time, :end_time,
        :state_id, :state_type, :state_name)

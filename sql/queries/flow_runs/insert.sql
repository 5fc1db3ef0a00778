INSERT INTO flow_runs (id, created, updated, name, flow_id, deployment_id, flow_version, parameters, idempotency_key,
                       context, empirical_policy, tags, labels, parent_task_run_id, auto_scheduled,
                       infrastructure_kind, infrastructure_config, job_variables, work_queue_id, deployment_version,
                       created_by, run_count, expected_start_time, next_scheduled_start_time, start_time, end_time,
                       state_id, state_type, state_name, state_deadline)
VALUES (:id, :now, :now, :name, :flow_id, :deployment_id, :flow_version, :parameters, :idempotency_key,
        :context, :empirical_policy, :tags, :labels, :parent_task_run_id, :auto_scheduled,
        :infrastructure_kind, :infrastructure_config, :job_variables, :work_queue_id, :deployment_version,
        :created_by, :run_count, :expected_start_time, :next_scheduled_start_time, :start_time, :end_time,
        :state_id, :state_type, :state_name, :state_deadline)

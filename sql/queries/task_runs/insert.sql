INSERT INTO task_runs (id, created, updated, name, flow_run_id, task_key, dynamic_key, cache_key, cache_expiration,
                       task_version, max_retries, retry_delay, empirical_policy, tags, labels, task_inputs,
                       flow_run_run_count, run_count, expected_start_time,
                       next_scheduled_start_time, start_time, end_time, total_run_time, state_id, state_type, state_name)
VALUES (:id, :now, :now, :name, :flow_run_id, :task_key, :dynamic_key, :cache_key, :cache_expiration,
        :task_version, :max_retries, :retry_delay, :empirical_policy, :tags, :labels, :task_inputs,
        :flow_run_run_count, :run_count, :expected_start_time,
        :next_scheduled_start_time, :start_time, :end_time, :total_run_time, :state_id, :state_type, :state_name)

INSERT INTO task_runs (id, created, updated, name, flow_run_id, task_key, dynamic_key, cache_key, cache_expiration,
                       task_version, max_retries, retry_delay, tags, task_inputs)
VALUES (:id, :now, :now, :name, :flow_run_id, :task_key, :dynamic_key, :cache_key, :cache_expiration,
        :task_version, :max_retries, :retry_delay, :tags, :task_inputs)
ON CONFLICT (flow_run_id, task_key, dynamic_key) DO NOTHING

task_runs.id, task_runs.created, task_runs.updated, task_runs.name, task_runs.flow_run_id, task_runs.task_key,
       task_runs.dynamic_key, task_runs.cache_key, task_runs.cache_expiration, task_runs.task_version,
       task_runs.max_retries, task_runs.retry_delay, task_runs.empirical_policy, task_runs.tags, task_runs.labels,
       task_runs.task_inputs, task_runs.flow_run_run_count,
       task_runs.run_count, task_runs.expected_start_time, task_runs.next_scheduled_start_time,
       task_runs.start_time, task_runs.end_time, task_runs.total_run_time,
       {state}

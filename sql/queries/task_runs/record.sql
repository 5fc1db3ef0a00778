UPDATE task_runs
SET updated = :now, name = :name, max_retries = :max_retries, retry_delay = :retry_delay,
    empirical_policy = :empirical_policy, tags = :tags, labels = :labels, task_inputs = :task_inputs,
    flow_run_run_count = :flow_run_run_count, run_count = :run_count, expected_start_time = :expected_start_time,
    next_scheduled_start_time = :next_scheduled_start_time, start_time = :start_time, end_time = :end_time,
    total_run_time = :total_run_time, state_id = :state_id, state_type = :state_type, state_name = :state_name
WHERE id = :id

SELECT r.id, r.created, r.updated, r.name, r.flow_run_id, r.task_key, r.dynamic_key, r.cache_key, r.cache_expiration,
       r.task_version, r.max_retries, r.retry_delay, r.tags, r.task_inputs,
       r.run_count, r.expected_start_time, r.next_scheduled_start_time, r.start_time, r.end_time, r.total_run_time,
       s.id, s.type, s.name, s.timestamp, s.message, s.data, s.state_details
FROM task_runs AS r LEFT JOIN task_run_states AS s ON s.id = r.state_id
WHERE r.id = :id

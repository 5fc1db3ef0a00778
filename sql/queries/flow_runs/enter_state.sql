UPDATE flow_runs
SET updated = :now, state_id = :state_id, state_type = :state_type, state_name = :state_name,
    run_count = :run_count, next_scheduled_start_time = :next_scheduled_start_time, start_time = :start_time, end_time = :end_time,
    total_run_time = :total_run_time, state_deadline = :state_deadline
WHERE id = :id

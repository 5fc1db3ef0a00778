-- The time of the start has an index of all runs, and SQLite writes what is named here, changed or not.
UPDATE flow_runs
SET updated = :now, state_id = :state_id, state_type = :state_type, state_name = :state_name,
    run_count = :run_count, next_scheduled_start_time = :next_scheduled_start_time, end_time = :end_time,
    total_run_time = :total_run_time, state_deadline = :state_deadline
WHERE id = :id

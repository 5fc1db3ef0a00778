-- The parameters come in the order of more_task_runs.sql: both are given the same.
INSERT INTO task_run_counts
    (run_time, lateness, step, expected_start_time, start_time, state_type, state_name, in_flow_run, count)
VALUES (:run_time, :lateness, :step, :expected, :started, :state_type, :state_name, :in_flow_run, 1)

-- The parameters come in the order of more_flow_runs.sql: both are given the same.
INSERT INTO flow_run_counts
    (run_time, lateness, step, expected_start_time, start_time, state_type, state_name, flow_id, deployment_id, work_queue_id, count)
VALUES (:run_time, :lateness, :step, :expected, :started, :state_type, :state_name, :flow_id, :deployment_id, :work_queue_id, 1)

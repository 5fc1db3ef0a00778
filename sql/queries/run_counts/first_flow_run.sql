INSERT INTO flow_run_counts
VALUES (:step, :expected, :started, :state_type, :state_name, :flow_id, :deployment_id, :work_queue_id, 1, :run_time, :lateness)

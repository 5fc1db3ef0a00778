INSERT INTO task_run_counts
VALUES (:step, :expected, :started, :state_type, :state_name, :in_flow_run, 1, :run_time, :lateness)

DELETE FROM task_run_counts
WHERE step = :step AND expected_start_time = :expected AND start_time = :started
  AND state_type = :state_type AND state_name = :state_name AND in_flow_run = :in_flow_run
  AND count = 0

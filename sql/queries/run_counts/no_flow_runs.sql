DELETE FROM flow_run_counts
WHERE step = :step AND expected_start_time = :expected AND start_time = :started
  AND state_type = :state_type AND state_name = :state_name AND flow_id = :flow_id AND deployment_id = :deployment_id AND work_queue_id = :work_queue_id
  AND count = 0

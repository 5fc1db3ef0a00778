-- Sums stop at the largest number.
UPDATE flow_run_counts
SET count = count + 1, run_time = min(9223372036854775807, run_time + :run_time),
    lateness = min(9223372036854775807, lateness + :lateness)
WHERE step = :step AND expected_start_time = :expected AND start_time = :started
  AND state_type = :state_type AND state_name = :state_name AND flow_id = :flow_id AND deployment_id = :deployment_id AND work_queue_id = :work_queue_id

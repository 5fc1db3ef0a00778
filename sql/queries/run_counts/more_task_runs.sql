-- One more in its second and in its hour. Sums stop at the largest number.
INSERT INTO task_run_counts
VALUES (1000000, :second_expected, :second_started, :state_type, :state_name, :in_flow_run, 1, :run_time, :lateness),
       (3600000000, :hour_expected, :hour_started, :state_type, :state_name, :in_flow_run, 1, :run_time, :lateness)
ON CONFLICT DO UPDATE SET count = count + 1,
    run_time = min(9223372036854775807, run_time + excluded.run_time),
    lateness = min(9223372036854775807, lateness + excluded.lateness)

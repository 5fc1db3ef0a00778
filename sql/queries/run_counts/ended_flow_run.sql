-- What a run that has ended was counted as: its row says it, whose states may be gone already.
SELECT state_type, coalesce(state_name, ''), expected_start_time, start_time, total_run_time
FROM flow_runs WHERE id = :id AND state_type IN ({terminal})

SELECT {flow_run}
FROM flow_runs LEFT JOIN flow_run_states AS s ON s.id = flow_runs.state_id
-- As the partial index on claims has it.
WHERE flow_runs.claimed_by = :agent AND {is_live}
ORDER BY flow_runs.id

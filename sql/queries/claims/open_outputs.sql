SELECT {flow_run}
FROM flow_runs LEFT JOIN flow_run_states AS s ON s.id = flow_runs.state_id
-- The partial index on open outputs serves.
WHERE flow_runs.claimed_by = :agent AND flow_runs.output_open = 1 AND flow_runs.state_type NOT IN ({live})
ORDER BY flow_runs.id

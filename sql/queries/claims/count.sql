SELECT count(*) FROM flow_runs
WHERE claimed_by = :agent AND state_type IN ({live})

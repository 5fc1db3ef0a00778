SELECT count(*) FROM flow_runs
WHERE claimed_by = :agent AND {is_live}

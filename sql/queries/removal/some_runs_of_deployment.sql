-- With whether they have yet to begin; one that waits to be tried again has begun.
SELECT id, state_type IS 'SCHEDULED' AND run_count = 0 FROM flow_runs WHERE deployment_id = :id LIMIT :limit

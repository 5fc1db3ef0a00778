SELECT id FROM artifacts WHERE flow_run_id = :id LIMIT :limit

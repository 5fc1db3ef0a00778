SELECT id FROM flow_runs WHERE flow_id = :id LIMIT :limit

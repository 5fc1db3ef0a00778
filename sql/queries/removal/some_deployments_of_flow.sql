SELECT id FROM deployments WHERE flow_id = :id LIMIT :limit

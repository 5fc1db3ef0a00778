SELECT count(*) FROM deployments WHERE flow_id = :id

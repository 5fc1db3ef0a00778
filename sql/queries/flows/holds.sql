SELECT (SELECT count(*) FROM deployments WHERE flow_id = :id), (SELECT count(*) FROM flow_runs WHERE flow_id = :id)

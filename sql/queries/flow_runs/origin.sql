SELECT flow_id, deployment_id, labels FROM flow_runs WHERE id = :id

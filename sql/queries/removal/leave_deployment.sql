UPDATE flow_runs SET deployment_id = NULL WHERE id = :id

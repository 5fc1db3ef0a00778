SELECT count(*) FROM flow_runs WHERE flow_id = :id

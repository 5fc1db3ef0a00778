DELETE FROM flow_run_inputs WHERE id IN (SELECT id FROM flow_run_inputs WHERE flow_run_id = :id LIMIT :limit)

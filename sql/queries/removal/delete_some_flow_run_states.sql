DELETE FROM flow_run_states WHERE id IN (SELECT id FROM flow_run_states WHERE run_id = :id LIMIT :limit)

DELETE FROM logs WHERE id IN (SELECT id FROM logs WHERE flow_run_id = :id LIMIT :limit)

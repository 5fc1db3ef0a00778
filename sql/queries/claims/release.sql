UPDATE flow_runs SET claimed_by = NULL, claimed_at = NULL, infrastructure_id = NULL, output_open = 0 WHERE id = :id

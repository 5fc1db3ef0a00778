UPDATE flow_runs SET claimed_by = :agent, claimed_at = :now, infrastructure_id = NULL, output_open = 1 WHERE id = :id

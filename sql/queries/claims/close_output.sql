UPDATE flow_runs SET output_open = 0 WHERE id = :id AND claimed_by = :agent

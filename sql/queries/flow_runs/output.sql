SELECT state_type, end_time, start_time, claimed_by, output_open FROM flow_runs WHERE id = :id

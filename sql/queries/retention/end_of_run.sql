SELECT state_type, coalesce(end_time, updated) FROM flow_runs WHERE id = :id

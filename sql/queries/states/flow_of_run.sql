SELECT {state}
FROM flow_run_states AS s WHERE s.run_id = :run_id ORDER BY s.timestamp, s.id

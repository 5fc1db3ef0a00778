SELECT {state}
FROM flow_run_states AS s WHERE s.id = :id

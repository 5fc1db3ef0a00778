SELECT id, type, name, timestamp, message, data, state_details
FROM flow_run_states WHERE id = :id

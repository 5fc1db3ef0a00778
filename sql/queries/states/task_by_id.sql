SELECT id, type, name, timestamp, message, data, state_details
FROM task_run_states WHERE id = :id

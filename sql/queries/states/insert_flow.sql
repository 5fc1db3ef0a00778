INSERT INTO flow_run_states (id, run_id, type, name, timestamp, message, data, state_details)
VALUES (:id, :run_id, :type, :name, :timestamp, :message, :data, :state_details)

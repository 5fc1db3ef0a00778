INSERT INTO flow_run_inputs (id, created, updated, flow_run_id, key, value, sender)
VALUES (:id, :now, :now, :flow_run_id, :key, :value, :sender)
ON CONFLICT (flow_run_id, key) DO NOTHING

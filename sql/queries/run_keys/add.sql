INSERT INTO run_keys (digest, flow_run_id, claimed_at) VALUES (:digest, :flow_run_id, :claimed_at)

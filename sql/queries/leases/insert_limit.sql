INSERT INTO lease_limits (limit_id, lease_id) VALUES (:limit_id, :lease_id)

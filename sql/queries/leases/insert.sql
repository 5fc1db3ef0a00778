INSERT INTO leases (id, created, expires, slots, holder_type, holder_id)
VALUES (:id, :now, :expires, :slots, :holder_type, :holder_id)

SELECT id, created, expires, slots FROM leases WHERE id = :id

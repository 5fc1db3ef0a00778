DELETE FROM leases WHERE id = :id

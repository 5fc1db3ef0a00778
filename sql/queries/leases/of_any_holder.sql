SELECT id FROM leases WHERE holder_id = :holder_id LIMIT :limit

SELECT lease_id FROM lease_limits WHERE limit_id = :limit_id LIMIT :limit

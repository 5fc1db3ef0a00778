SELECT limit_id FROM lease_limits WHERE lease_id = :id

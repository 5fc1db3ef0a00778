SELECT leases.id, leases.holder_type, leases.holder_id
FROM lease_limits CROSS JOIN leases ON leases.id = lease_limits.lease_id
WHERE lease_limits.limit_id = :limit_id AND (leases.expires IS NULL OR leases.expires > :now) AND leases.holder_id IS NOT NULL
LIMIT :limit

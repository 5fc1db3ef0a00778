SELECT leases.id, leases.expires
FROM leases CROSS JOIN lease_limits ON lease_limits.lease_id = leases.id
WHERE leases.holder_id = :holder_id AND lease_limits.limit_id = :limit_id
LIMIT 1

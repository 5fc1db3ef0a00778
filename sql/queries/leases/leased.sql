SELECT coalesce(sum(leases.slots), 0), count(*)
FROM lease_limits CROSS JOIN leases ON leases.id = lease_limits.lease_id
WHERE lease_limits.limit_id = :limit_id AND (leases.expires IS NULL OR leases.expires > :now)

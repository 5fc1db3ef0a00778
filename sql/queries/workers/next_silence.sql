SELECT online_until FROM workers WHERE online_until >= :now ORDER BY online_until LIMIT 1

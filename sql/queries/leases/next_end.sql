SELECT expires FROM leases INDEXED BY leases_by_end WHERE expires IS NOT NULL ORDER BY expires LIMIT 1

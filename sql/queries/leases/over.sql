SELECT id FROM leases INDEXED BY leases_by_end WHERE expires IS NOT NULL AND expires <= :now ORDER BY expires LIMIT :limit

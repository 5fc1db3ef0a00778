SELECT subject FROM requests WHERE key = :key

SELECT {log} FROM logs WHERE id > :id ORDER BY id LIMIT :limit

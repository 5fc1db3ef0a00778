SELECT id FROM flows LIMIT :limit

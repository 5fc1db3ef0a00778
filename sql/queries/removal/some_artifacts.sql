SELECT id FROM artifacts LIMIT :limit

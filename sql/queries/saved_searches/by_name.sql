SELECT id, created, updated, name, filters FROM saved_searches WHERE name = :name

SELECT id, created, updated, name, filters FROM saved_searches
ORDER BY name LIMIT :limit OFFSET :offset

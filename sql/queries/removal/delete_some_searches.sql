DELETE FROM saved_searches WHERE id IN (SELECT id FROM saved_searches LIMIT :limit)

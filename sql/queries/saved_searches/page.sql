SELECT {saved_search} FROM saved_searches
ORDER BY name LIMIT :limit OFFSET :offset

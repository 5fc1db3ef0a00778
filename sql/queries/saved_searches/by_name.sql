SELECT {saved_search} FROM saved_searches WHERE name = :name

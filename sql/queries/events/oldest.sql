SELECT place, received FROM events ORDER BY place LIMIT :limit

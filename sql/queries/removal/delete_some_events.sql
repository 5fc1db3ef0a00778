DELETE FROM events WHERE place IN (SELECT place FROM events LIMIT :limit)

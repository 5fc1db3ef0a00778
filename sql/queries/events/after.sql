SELECT {event} FROM events WHERE place > :place ORDER BY place LIMIT :limit

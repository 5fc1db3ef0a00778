SELECT {event} FROM events WHERE id = :id

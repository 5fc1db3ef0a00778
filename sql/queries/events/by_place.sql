SELECT {event} FROM events WHERE place = :place

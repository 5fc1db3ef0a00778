DELETE FROM events WHERE place = :place

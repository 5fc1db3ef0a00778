DELETE FROM logs WHERE id = :id

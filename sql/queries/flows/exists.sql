SELECT 1 FROM flows WHERE id = :id

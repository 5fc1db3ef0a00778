SELECT id, created, updated, name, tags FROM flows WHERE name = :name

INSERT INTO flows (id, created, updated, name, tags)
VALUES (:id, :now, :now, :name, :tags)
ON CONFLICT (name) DO NOTHING

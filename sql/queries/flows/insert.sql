INSERT INTO flows (id, created, updated, name, tags, labels)
VALUES (:id, :now, :now, :name, :tags, :labels)
ON CONFLICT (name) DO NOTHING

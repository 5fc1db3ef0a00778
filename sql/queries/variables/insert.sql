INSERT INTO variables (id, created, updated, name, value, tags)
VALUES (:id, :now, :now, :name, :value, :tags)

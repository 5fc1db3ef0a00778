UPDATE artifacts SET updated = :now, description = :description, data = :data, metadata = :metadata
WHERE id = :id

UPDATE variables SET updated = :now, name = :name, value = :value, tags = :tags WHERE id = :id

UPDATE flows SET tags = :tags, updated = :now WHERE id = :id

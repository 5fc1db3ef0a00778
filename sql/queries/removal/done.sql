DELETE FROM removals WHERE kind = :kind AND id = :id

DELETE FROM artifact_collections WHERE id = :id

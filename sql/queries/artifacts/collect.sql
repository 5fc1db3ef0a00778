INSERT INTO artifact_collections (id, created, key, latest_id) VALUES (:id, :now, :key, :latest_id)
ON CONFLICT (key) DO UPDATE SET latest_id = :latest_id

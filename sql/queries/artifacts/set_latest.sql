UPDATE artifact_collections SET latest_id = :latest_id, created = :created WHERE id = :id

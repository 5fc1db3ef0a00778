SELECT id FROM block_documents WHERE block_schema_id = :id LIMIT :limit

SELECT id FROM block_documents WHERE block_type_id = :id LIMIT :limit

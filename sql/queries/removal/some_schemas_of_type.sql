SELECT id FROM block_schemas WHERE block_type_id = :id LIMIT :limit

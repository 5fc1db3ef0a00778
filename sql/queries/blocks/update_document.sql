UPDATE block_documents SET updated = :now, data = :data, block_schema_id = :block_schema_id WHERE id = :id

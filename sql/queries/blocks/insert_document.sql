INSERT INTO block_documents (id, created, updated, name, data, block_schema_id, block_type_id, block_type_name, is_anonymous)
VALUES (:id, :now, :now, :name, :data, :block_schema_id, :block_type_id, :block_type_name, :is_anonymous)

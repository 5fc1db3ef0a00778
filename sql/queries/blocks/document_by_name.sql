SELECT {block_document} FROM block_documents WHERE block_type_id = :block_type_id AND name = :name

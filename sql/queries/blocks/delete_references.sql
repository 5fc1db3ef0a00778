DELETE FROM block_document_references WHERE parent_id = :id

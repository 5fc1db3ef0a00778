SELECT name, reference_id FROM block_document_references WHERE parent_id = :id ORDER BY name

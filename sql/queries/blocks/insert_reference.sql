INSERT INTO block_document_references (parent_id, name, reference_id) VALUES (:parent_id, :name, :reference_id)

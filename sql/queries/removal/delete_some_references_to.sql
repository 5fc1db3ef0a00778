DELETE FROM block_document_references
WHERE (parent_id, name) IN (SELECT parent_id, name FROM block_document_references WHERE reference_id = :id LIMIT :limit)

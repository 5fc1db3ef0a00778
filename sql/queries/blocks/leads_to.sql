-- Whether a document is another, or lies within it at any depth.
WITH RECURSIVE within (id) AS (
    SELECT :from
    UNION
    SELECT block_document_references.reference_id
    FROM within
    JOIN block_document_references ON block_document_references.parent_id = within.id
)
SELECT EXISTS (SELECT 1 FROM within WHERE id = :to)

-- The oldest first, which are those with the smallest ids.
DELETE FROM requests
WHERE id IN (SELECT id FROM requests ORDER BY id LIMIT :limit) AND created < :before

-- The latest of a key but for one.
SELECT id, created FROM artifacts WHERE key = :key AND id <> :id ORDER BY created DESC LIMIT 1

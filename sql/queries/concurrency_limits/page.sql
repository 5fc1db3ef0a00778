SELECT {concurrency_limit} FROM concurrency_limits
WHERE name >= :from AND (:until IS NULL OR name < :until)
ORDER BY name LIMIT :limit OFFSET :offset

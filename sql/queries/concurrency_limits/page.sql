SELECT {concurrency_limit} FROM concurrency_limits
WHERE name >= :from AND (:until IS NULL OR name < :until)
UNION ALL
SELECT {deployment_limit} FROM deployments
WHERE concurrency_limit IS NOT NULL AND :until IS NULL
ORDER BY 4 LIMIT :limit OFFSET :offset

SELECT json_extract(infrastructure_config, '$.image') AS image, max(updated)
FROM deployments
WHERE infrastructure_kind = 'docker' AND json_type(infrastructure_config, '$.image') = 'text'
GROUP BY image
ORDER BY 2 DESC
LIMIT :most

SELECT json_extract(infrastructure_config, '$.image') AS image, max(updated)
FROM deployments
WHERE infrastructure_kind = 'docker' AND json_extract(infrastructure_config, '$.image') IS NOT NULL
GROUP BY image

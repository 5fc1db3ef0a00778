SELECT json_extract(infrastructure_config, '$.image') FROM deployments
WHERE infrastructure_kind = 'docker' AND json_extract(infrastructure_config, '$.image') IS NOT NULL
ORDER BY updated DESC
LIMIT 1

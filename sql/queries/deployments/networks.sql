SELECT DISTINCT network.value
FROM deployments, json_each(infrastructure_config, '$.networks') AS network
WHERE infrastructure_kind = 'docker' AND network.type = 'text'
ORDER BY 1
LIMIT 10

SELECT network.value
FROM deployments, json_each(infrastructure_config, '$.networks') AS network
WHERE infrastructure_kind = 'docker' AND network.type = 'text'
UNION
SELECT infrastructure_config ->> '$.network_mode'
FROM deployments
WHERE infrastructure_kind = 'docker'
    AND json_type(infrastructure_config, '$.network_mode') = 'text'
ORDER BY 1

SELECT image FROM (
  SELECT json_extract(infrastructure_config, '$.image') AS image, max(updated) AS newest
  FROM deployments
  WHERE infrastructure_kind = 'docker' AND json_extract(infrastructure_config, '$.image') IS NOT NULL
  GROUP BY image
)
ORDER BY newest DESC
LIMIT 10

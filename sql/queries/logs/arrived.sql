SELECT {log} FROM logs
-- By the key, which grows with arrival: a run's index would go through all that it ever said.
WHERE +flow_run_id = :flow_run_id AND id > :id AND level >= :level AND timestamp >= :since
ORDER BY id
LIMIT :limit

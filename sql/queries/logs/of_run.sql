SELECT {log} FROM logs
-- By the index's own order from a place in it, so that each page costs the same.
WHERE flow_run_id = :flow_run_id AND (timestamp, id) > (:at, :id) AND level >= :level
ORDER BY timestamp, id
LIMIT :limit

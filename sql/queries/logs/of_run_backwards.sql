SELECT {log} FROM logs
WHERE flow_run_id = :flow_run_id AND (timestamp, id) < (:at, :id) AND level >= :level AND timestamp >= :since
ORDER BY timestamp DESC, id DESC
LIMIT :limit

SELECT
    (SELECT count(*) FROM logs WHERE flow_run_id = :flow_run_id AND name = :name),
    timestamp,
    count(*)
FROM logs
WHERE flow_run_id = :flow_run_id AND name = :name
  AND timestamp = (SELECT max(timestamp) FROM logs WHERE flow_run_id = :flow_run_id AND name = :name)
GROUP BY timestamp

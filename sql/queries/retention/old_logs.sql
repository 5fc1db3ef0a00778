-- Lines of runs that have not ended stay: an agent goes by them to see what of a container's
-- output is stored.
SELECT id FROM logs
WHERE id > :after AND id < :bound
  AND NOT EXISTS (
    SELECT 1 FROM flow_runs AS r WHERE r.id = logs.flow_run_id AND r.state_type NOT IN ({terminal})
  )
ORDER BY id
LIMIT :limit

SELECT id, created, updated, flow_run_id, key, value, sender FROM flow_run_inputs
WHERE flow_run_id = :flow_run_id AND substr(key, 1, length(:prefix)) = :prefix
  AND key NOT IN (SELECT value FROM json_each(:except))
ORDER BY created, id LIMIT :limit

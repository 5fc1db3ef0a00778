SELECT claimed_by, count(*) FROM flow_runs
-- The states are spelt out so that the partial index on claims serves.
WHERE claimed_by IS NOT NULL
  AND state_type IN ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING')
  AND infrastructure_id LIKE 'docker:%'
GROUP BY claimed_by

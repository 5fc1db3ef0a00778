SELECT claimed_by, count(*) FROM flow_runs
-- As the partial index on claims has it.
WHERE claimed_by IS NOT NULL
  AND state_type IN ({live})
  AND (infrastructure_id LIKE 'docker:%' OR infrastructure_id LIKE 'swarm:%')
GROUP BY claimed_by

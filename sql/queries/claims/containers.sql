SELECT claimed_by, count(*) FROM flow_runs INDEXED BY flow_runs_claimed
-- As the partial index on claims has it; by that of states all would be gone through that have not ended.
WHERE claimed_by IS NOT NULL
  AND {is_live}
  AND (infrastructure_id LIKE 'docker:%' OR infrastructure_id LIKE 'swarm:%')
GROUP BY claimed_by

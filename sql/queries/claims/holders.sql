SELECT claimed_by, id FROM flow_runs INDEXED BY flow_runs_claimed
-- As the partial index on claims has it; by that of states all would be gone through that have not ended.
WHERE claimed_by IS NOT NULL
  AND {is_live}
  AND state_type <> 'SCHEDULED'

SELECT claimed_by, id FROM flow_runs
-- As the partial index on claims has it.
WHERE claimed_by IS NOT NULL
  AND state_type IN ({live})
  AND state_type <> 'SCHEDULED'

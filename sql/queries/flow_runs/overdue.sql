SELECT id FROM flow_runs INDEXED BY flow_runs_by_deadline
WHERE state_deadline IS NOT NULL AND state_deadline <= :now ORDER BY state_deadline LIMIT :limit

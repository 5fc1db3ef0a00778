SELECT state_deadline FROM flow_runs INDEXED BY flow_runs_by_deadline
WHERE state_deadline IS NOT NULL ORDER BY state_deadline LIMIT 1

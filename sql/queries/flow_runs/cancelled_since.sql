SELECT id, end_time FROM flow_runs INDEXED BY flow_runs_by_end
WHERE end_time IS NOT NULL AND end_time > :since AND state_type = 'CANCELLED' ORDER BY end_time LIMIT :limit

-- Sub-flows go with their parents.
SELECT id FROM flow_runs
WHERE end_time < :horizon AND state_type IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED') AND parent_task_run_id IS NULL
ORDER BY end_time
LIMIT :limit

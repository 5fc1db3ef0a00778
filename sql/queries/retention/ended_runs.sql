-- Sub-flows go with their parents. By state there would be too many to look through.
SELECT id FROM flow_runs INDEXED BY flow_runs_by_end
WHERE end_time < :horizon AND state_type IN ({terminal}) AND parent_task_run_id IS NULL
ORDER BY end_time
LIMIT :limit

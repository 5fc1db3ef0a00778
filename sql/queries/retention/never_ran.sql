SELECT id FROM flow_runs INDEXED BY flow_runs_never_ran
WHERE updated < :horizon AND parent_task_run_id IS NULL
  -- As the partial index has it.
  AND end_time IS NULL AND {has_ended}
ORDER BY updated
LIMIT :limit

SELECT id FROM task_runs
-- By the run's own index: of that of states as many are gone through as have ever failed.
WHERE flow_run_id = :id AND +state_type = 'FAILED'
ORDER BY id
LIMIT :limit

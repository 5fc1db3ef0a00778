-- When the run ended that comes after the newest :kept ones.
SELECT ended FROM (
    SELECT end_time AS ended FROM flow_runs INDEXED BY flow_runs_by_end
    WHERE end_time IS NOT NULL AND parent_task_run_id IS NULL
    UNION ALL
    SELECT updated FROM flow_runs INDEXED BY flow_runs_never_ran
    WHERE end_time IS NULL AND {has_ended} AND parent_task_run_id IS NULL
)
ORDER BY ended DESC
LIMIT 1 OFFSET :kept

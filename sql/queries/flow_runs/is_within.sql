-- From a run up through the task runs that stand for it, to the run that began it all.
WITH RECURSIVE up (id) AS (
    SELECT :id
    UNION
    SELECT task_runs.flow_run_id
    FROM up
    JOIN flow_runs ON flow_runs.id = up.id
    JOIN task_runs ON task_runs.id = flow_runs.parent_task_run_id
)
SELECT EXISTS (SELECT 1 FROM up WHERE id = :ancestor)

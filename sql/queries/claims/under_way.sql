SELECT {flow_run}
FROM flow_runs LEFT JOIN flow_run_states AS s ON s.id = flow_runs.state_id
WHERE flow_runs.work_queue_id IN (SELECT id FROM work_queues WHERE id = :queue OR work_pool_id = :pool)
  AND flow_runs.state_type IN ('PENDING', 'RUNNING')
ORDER BY flow_runs.id
LIMIT :limit

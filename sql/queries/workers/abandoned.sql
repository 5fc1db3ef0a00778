-- Runs that were taken by a worker which is not there any more, and for which it told of nothing that it made. A
-- process that has not begun by then has gone with it.
SELECT flow_runs.id FROM flow_runs INDEXED BY flow_runs_by_state
JOIN work_queues ON work_queues.id = flow_runs.work_queue_id
JOIN work_pools ON work_pools.id = work_queues.work_pool_id
WHERE flow_runs.state_type = 'PENDING' AND flow_runs.claimed_by IS NULL
  AND (flow_runs.infrastructure_pid IS NULL OR work_pools.type = 'process')
  AND json_extract(flow_runs.labels, '$."prefect.worker.name"') IS NOT NULL
  AND NOT EXISTS (
      SELECT 1 FROM workers
      WHERE workers.work_pool_id = work_queues.work_pool_id AND workers.online_until >= :now
        AND workers.name = json_extract(flow_runs.labels, '$."prefect.worker.name"'))
LIMIT :limit

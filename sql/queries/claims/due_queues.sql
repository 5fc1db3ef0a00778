-- The queues of which something is due that this daemon's agent serves, those of a pool together and by priority.
SELECT work_pools.id, work_pools.concurrency_limit,
       (SELECT count(*) FROM work_queues AS q JOIN flow_runs AS r ON r.work_queue_id = q.id
        WHERE q.work_pool_id = work_pools.id AND r.state_type IN ('PENDING', 'RUNNING')),
       work_queues.id, work_queues.concurrency_limit,
       (SELECT count(*) FROM flow_runs AS r
        WHERE r.work_queue_id = work_queues.id AND r.state_type IN ('PENDING', 'RUNNING'))
FROM work_pools JOIN work_queues ON work_queues.work_pool_id = work_pools.id
WHERE work_pools.type IN ('docker', 'docker-swarm', 'process', 'prefect-agent') AND (:containers OR work_pools.type NOT IN ('docker', 'docker-swarm'))
  AND work_pools.is_paused = 0 AND work_queues.is_paused = 0
  -- An agent of Prefect 2 that asks for a queue's runs has them.
  AND (work_pools.type <> 'prefect-agent' OR work_queues.last_polled IS NULL OR work_queues.last_polled < :polled_since)
  AND NOT EXISTS (SELECT 1 FROM workers WHERE workers.work_pool_id = work_pools.id AND workers.online_until >= :now)
  AND EXISTS (SELECT 1 FROM flow_runs AS r
              WHERE r.work_queue_id = work_queues.id AND r.state_type = 'SCHEDULED'
                AND r.next_scheduled_start_time <= :now AND (work_pools.type <> 'prefect-agent' OR NOT {foreign}))
ORDER BY work_pools.id, work_queues.priority

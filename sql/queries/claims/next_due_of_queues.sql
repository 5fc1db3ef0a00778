-- When the next run is due of a queue that this daemon's agent serves and that has room.
SELECT min((SELECT r.next_scheduled_start_time FROM flow_runs AS r
            WHERE r.work_queue_id = work_queues.id AND r.state_type = 'SCHEDULED'
              AND r.next_scheduled_start_time IS NOT NULL
              AND json_extract(r.empirical_policy, '$.retry_type') IS NOT 'in_process'
              AND (work_pools.type <> 'prefect-agent' OR NOT {foreign})
            ORDER BY r.next_scheduled_start_time LIMIT 1))
FROM work_pools JOIN work_queues ON work_queues.work_pool_id = work_pools.id
WHERE work_pools.type IN ('docker', 'docker-swarm', 'process', 'prefect-agent')
  AND work_pools.is_paused = 0 AND work_queues.is_paused = 0
  AND (work_pools.type <> 'prefect-agent' OR work_queues.last_polled IS NULL OR work_queues.last_polled < :polled_since)
  AND NOT EXISTS (SELECT 1 FROM workers WHERE workers.work_pool_id = work_pools.id AND workers.online_until >= :now)
  AND (work_queues.concurrency_limit IS NULL OR work_queues.concurrency_limit >
       (SELECT count(*) FROM flow_runs AS r
        WHERE r.work_queue_id = work_queues.id AND r.state_type IN ('PENDING', 'RUNNING')))
  AND (work_pools.concurrency_limit IS NULL OR work_pools.concurrency_limit >
       (SELECT count(*) FROM work_queues AS q JOIN flow_runs AS r ON r.work_queue_id = q.id
        WHERE q.work_pool_id = work_pools.id AND r.state_type IN ('PENDING', 'RUNNING')))

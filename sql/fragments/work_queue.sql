work_queues.id, work_queues.created, work_queues.updated, work_queues.work_pool_id, work_queues.name,
       work_queues.description, work_queues.is_paused, work_queues.concurrency_limit, work_queues.priority,
       work_queues.filter, work_queues.last_polled,
       (SELECT name FROM work_pools WHERE id = work_queues.work_pool_id),
       (SELECT type FROM work_pools WHERE id = work_queues.work_pool_id),
       (SELECT max(online_until) FROM workers WHERE work_pool_id = work_queues.work_pool_id),
       (SELECT count(*) FROM flow_runs WHERE work_queue_id = work_queues.id AND state_type IN ('PENDING', 'RUNNING')),
       work_queues.told

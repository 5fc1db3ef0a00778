work_pools.id, work_pools.created, work_pools.updated, work_pools.name, work_pools.description, work_pools.type,
       work_pools.base_job_template, work_pools.is_paused, work_pools.concurrency_limit, work_pools.storage,
       work_pools.default_queue_id,
       (SELECT max(online_until) FROM workers WHERE work_pool_id = work_pools.id),
       (SELECT count(*) FROM work_queues AS q JOIN flow_runs AS r ON r.work_queue_id = q.id
        WHERE q.work_pool_id = work_pools.id AND r.state_type IN ('PENDING', 'RUNNING')),
       work_pools.told

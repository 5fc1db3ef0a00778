SELECT work_queues.name, work_pools.id, work_pools.name
FROM work_queues JOIN work_pools ON work_pools.id = work_queues.work_pool_id
WHERE work_queues.id = :id

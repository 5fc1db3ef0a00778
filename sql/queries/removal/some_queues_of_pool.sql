-- The default queue goes with the pool.
SELECT id FROM work_queues
WHERE work_pool_id = :id AND id NOT IN (SELECT default_queue_id FROM work_pools WHERE id = :id)
LIMIT :limit

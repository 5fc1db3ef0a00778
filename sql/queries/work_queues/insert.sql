INSERT INTO work_queues (id, created, updated, work_pool_id, name, description, is_paused, concurrency_limit, priority,
                         filter)
VALUES (:id, :now, :now, :work_pool_id, :name, :description, :is_paused, :concurrency_limit, :priority, :filter)

SELECT {work_queue} FROM work_queues WHERE work_pool_id = :work_pool_id AND name = :name

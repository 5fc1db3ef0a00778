UPDATE work_queues SET last_polled = :now WHERE id = :id

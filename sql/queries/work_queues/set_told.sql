UPDATE work_queues SET told = :told WHERE id = :id

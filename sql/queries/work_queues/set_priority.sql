UPDATE work_queues SET priority = :priority WHERE id = :id

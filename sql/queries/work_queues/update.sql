UPDATE work_queues
SET updated = :now, name = :name, description = :description, is_paused = :is_paused,
    concurrency_limit = :concurrency_limit, filter = :filter, last_polled = :last_polled
WHERE id = :id

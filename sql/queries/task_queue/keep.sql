UPDATE task_queue SET holder = :holder
WHERE client = :client AND holder IS NULL AND is_acknowledged = 1

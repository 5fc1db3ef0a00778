UPDATE task_queue SET due = min(due, :soon)
WHERE client = :client AND holder IS NULL AND is_acknowledged = 0

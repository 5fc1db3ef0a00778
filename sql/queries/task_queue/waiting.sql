SELECT task_run_id FROM task_queue
WHERE task_key = :task_key AND holder IS NULL AND due <= :now
ORDER BY turn, enqueued, task_run_id
LIMIT 1

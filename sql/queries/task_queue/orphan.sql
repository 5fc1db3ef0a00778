UPDATE task_queue SET holder = NULL, due = :later WHERE holder IS NOT NULL

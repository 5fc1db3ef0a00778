SELECT 1 FROM task_runs WHERE id = :id

DELETE FROM task_runs WHERE id = :id

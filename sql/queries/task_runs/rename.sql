UPDATE task_runs SET name = :name, updated = :now WHERE id = :id

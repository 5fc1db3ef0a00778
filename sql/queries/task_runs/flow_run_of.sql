SELECT flow_run_id FROM task_runs WHERE id = :id

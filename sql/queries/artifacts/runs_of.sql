SELECT flow_run_id, task_run_id FROM artifacts WHERE id = :id

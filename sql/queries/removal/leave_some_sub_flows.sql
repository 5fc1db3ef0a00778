UPDATE flow_runs SET parent_task_run_id = NULL WHERE id IN (SELECT id FROM flow_runs WHERE parent_task_run_id = :id LIMIT :limit)

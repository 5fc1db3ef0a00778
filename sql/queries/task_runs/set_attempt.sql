UPDATE task_runs SET flow_run_run_count = :count WHERE id = :id

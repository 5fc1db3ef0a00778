SELECT {state}
FROM task_run_states AS s WHERE s.id = :id

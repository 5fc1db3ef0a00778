SELECT {glance} FROM flow_runs INDEXED BY flow_runs_next_of_flow
LEFT JOIN flow_run_states AS s ON s.id = flow_runs.state_id
WHERE flow_runs.flow_id = :flow_id AND flow_runs.state_type = 'SCHEDULED'
  AND flow_runs.next_scheduled_start_time IS NOT NULL
ORDER BY flow_runs.next_scheduled_start_time LIMIT 1

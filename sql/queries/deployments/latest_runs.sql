-- The newest are enough to tell what comes next and what came last: a schedule makes a hundred runs ahead.
SELECT id, name, state_type, state_name, start_time, end_time, expected_start_time, next_scheduled_start_time
FROM flow_runs WHERE deployment_id = :id
ORDER BY id DESC
LIMIT 300

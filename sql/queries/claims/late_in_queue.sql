SELECT count(*) FROM flow_runs
WHERE work_queue_id = :queue AND state_type = 'SCHEDULED' AND state_name = 'Late'

SELECT concurrency_limit, shared_limit_id, json_extract(concurrency_options, '$.collision_strategy'),
       json_extract(concurrency_options, '$.grace_period_seconds')
FROM deployments WHERE id = :id AND (concurrency_limit IS NOT NULL OR shared_limit_id IS NOT NULL)

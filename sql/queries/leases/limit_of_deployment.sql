SELECT concurrency_limit, json_extract(concurrency_options, '$.collision_strategy'),
       json_extract(concurrency_options, '$.grace_period_seconds')
FROM deployments WHERE id = :id AND concurrency_limit IS NOT NULL

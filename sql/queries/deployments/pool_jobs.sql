SELECT queue.work_pool_id, deployment.job_variables, max(deployment.updated)
FROM deployments AS deployment
JOIN work_queues AS queue ON queue.id = deployment.work_queue_id
JOIN work_pools AS pool ON pool.id = queue.work_pool_id
WHERE pool.type = :type
GROUP BY queue.work_pool_id, deployment.job_variables
ORDER BY 3 DESC
LIMIT :most

SELECT flows.id, flows.name, flows.tags,
       deployments.id, deployments.name, deployments.tags,
       work_queues.id, work_queues.name,
       work_pools.id, work_pools.name, work_pools.type,
       task_runs.id, task_runs.name, task_runs.tags
FROM flows
LEFT JOIN deployments ON deployments.id = :deployment_id
LEFT JOIN work_queues ON work_queues.id = :work_queue_id
LEFT JOIN work_pools ON work_pools.id = work_queues.work_pool_id
LEFT JOIN task_runs ON task_runs.id = :task_run_id
WHERE flows.id = :flow_id

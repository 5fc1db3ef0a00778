deployments.id, deployments.created, deployments.updated, deployments.name, deployments.flow_id,
       deployments.version, deployments.description, deployments.flow_data, deployments.path,
       deployments.entrypoint, deployments.pull_steps,
       (SELECT json_group_array(
            json_object('id', hex(id), 'created', created, 'updated', updated, 'slug', slug,
                        'schedule', json(schedule), 'active', active, 'max_scheduled_runs', max_scheduled_runs,
                        'parameters', json(parameters))
            ORDER BY id)
        FROM schedules WHERE deployment_id = deployments.id),
       deployments.is_schedule_active, deployments.parameters, deployments.parameter_openapi_schema,
       deployments.enforce_parameter_schema, deployments.tags, deployments.labels,
       deployments.infrastructure_kind, deployments.infrastructure_config, deployments.job_variables,
       deployments.work_queue_id,
       (SELECT name FROM work_queues WHERE work_queues.id = deployments.work_queue_id),
       (SELECT work_pools.name FROM work_queues JOIN work_pools ON work_pools.id = work_queues.work_pool_id
        WHERE work_queues.id = deployments.work_queue_id),
       deployments.concurrency_limit, deployments.concurrency_options,
       iif(deployments.concurrency_limit IS NULL AND deployments.shared_limit_id IS NULL, 0,
           (SELECT coalesce(sum(leases.slots), 0)
            FROM lease_limits CROSS JOIN leases ON leases.id = lease_limits.lease_id
            WHERE lease_limits.limit_id = coalesce(deployments.shared_limit_id, deployments.id))),
       deployments.shared_limit_id,
       deployments.storage_document_id, deployments.infrastructure_document_id,
       deployments.created_by, deployments.updated_by, deployments.last_polled,
       (SELECT last_polled FROM work_queues WHERE work_queues.id = deployments.work_queue_id),
       (SELECT work_pools.type FROM work_queues JOIN work_pools ON work_pools.id = work_queues.work_pool_id
        WHERE work_queues.id = deployments.work_queue_id),
       (SELECT max(online_until) FROM work_queues JOIN workers ON workers.work_pool_id = work_queues.work_pool_id
        WHERE work_queues.id = deployments.work_queue_id)

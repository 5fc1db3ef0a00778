deployments.id, deployments.created, deployments.updated, deployments.name, deployments.flow_id,
       deployments.flow_data,
       (SELECT json_group_array(
            json_object('id', hex(id), 'created', created, 'updated', updated, 'slug', slug,
                        'schedule', json(schedule), 'active', active, 'parameters', json(parameters))
            ORDER BY id)
        FROM schedules WHERE deployment_id = deployments.id),
       deployments.is_schedule_active, deployments.parameters, deployments.tags,
       deployments.infrastructure_kind, deployments.infrastructure_config

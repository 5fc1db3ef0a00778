SELECT id, created, updated, name, flow_id, flow_data, schedule, is_schedule_active,
       parameters, tags, infrastructure_kind, infrastructure_config
FROM deployments WHERE id = :id

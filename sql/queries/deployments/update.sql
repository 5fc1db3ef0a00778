UPDATE deployments
SET updated = :now, flow_data = :flow_data, is_schedule_active = :is_schedule_active,
    parameters = :parameters, tags = :tags,
    infrastructure_kind = :infrastructure_kind, infrastructure_config = :infrastructure_config
WHERE id = :id

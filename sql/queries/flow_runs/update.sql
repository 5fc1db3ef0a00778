UPDATE flow_runs
SET updated = :now, name = :name, flow_version = :flow_version, parameters = :parameters, tags = :tags,
    infrastructure_kind = :infrastructure_kind, infrastructure_config = :infrastructure_config
WHERE id = :id

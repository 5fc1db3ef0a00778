UPDATE flow_runs
SET updated = :now, name = :name, flow_version = :flow_version, parameters = :parameters, tags = :tags,
    empirical_policy = :empirical_policy, infrastructure_kind = :infrastructure_kind,
    infrastructure_config = :infrastructure_config, job_variables = :job_variables,
    infrastructure_pid = :infrastructure_pid
WHERE id = :id

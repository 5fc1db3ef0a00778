UPDATE deployments
SET updated = :now, name = :name, flow_id = :flow_id, version = :version, description = :description,
    flow_data = :flow_data, path = :path, entrypoint = :entrypoint, pull_steps = :pull_steps,
    is_schedule_active = :is_schedule_active, parameters = :parameters,
    parameter_openapi_schema = :parameter_schema, enforce_parameter_schema = :enforces_schema,
    tags = :tags, labels = :labels, infrastructure_kind = :infrastructure_kind,
    infrastructure_config = :infrastructure_config, job_variables = :job_variables,
    work_queue_id = :work_queue_id, concurrency_limit = :concurrency_limit, shared_limit_id = :shared_limit_id,
    concurrency_options = :concurrency_options, storage_document_id = :storage_document_id,
    infrastructure_document_id = :infrastructure_document_id, created_by = :created_by, updated_by = :updated_by
WHERE id = :id

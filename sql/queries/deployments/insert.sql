INSERT INTO deployments (id, created, updated, name, flow_id, version, description, flow_data, path, entrypoint,
                         pull_steps, is_schedule_active, parameters, parameter_openapi_schema,
                         enforce_parameter_schema, tags, labels, infrastructure_kind, infrastructure_config,
                         job_variables, work_queue_id, concurrency_limit, shared_limit_id, concurrency_options,
                         storage_document_id, infrastructure_document_id, created_by, updated_by)
VALUES (:id, :now, :now, :name, :flow_id, :version, :description, :flow_data, :path, :entrypoint,
        :pull_steps, :is_schedule_active, :parameters, :parameter_schema,
        :enforces_schema, :tags, :labels, :infrastructure_kind, :infrastructure_config,
        :job_variables, :work_queue_id, :concurrency_limit, :shared_limit_id, :concurrency_options,
        :storage_document_id, :infrastructure_document_id, :created_by, :updated_by)

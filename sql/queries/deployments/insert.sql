INSERT INTO deployments (id, created, updated, name, flow_id, flow_data, is_schedule_active,
                         parameters, tags, infrastructure_kind, infrastructure_config)
VALUES (:id, :now, :now, :name, :flow_id, :flow_data, :is_schedule_active,
        :parameters, :tags, :infrastructure_kind, :infrastructure_config)

UPDATE flow_runs SET infrastructure_kind = :kind, infrastructure_config = :config WHERE id = :id

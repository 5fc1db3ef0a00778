UPDATE flow_runs SET infrastructure_id = :infrastructure_id, updated = :now WHERE id = :id

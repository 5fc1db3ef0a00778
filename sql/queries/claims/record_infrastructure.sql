UPDATE flow_runs SET infrastructure_id = :infrastructure_id, output_open = 1, updated = :now WHERE id = :id

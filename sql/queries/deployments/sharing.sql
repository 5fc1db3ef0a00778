SELECT count(*) FROM deployments WHERE shared_limit_id = :limit_id AND id <> :but

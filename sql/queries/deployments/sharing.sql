SELECT count(*) FROM (SELECT 1 FROM deployments WHERE shared_limit_id = :limit_id AND id <> :but LIMIT :most)

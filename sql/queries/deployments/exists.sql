SELECT 1 FROM deployments WHERE id = :id

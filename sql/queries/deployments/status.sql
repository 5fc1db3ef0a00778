SELECT status FROM deployments WHERE id = :id

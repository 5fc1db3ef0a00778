UPDATE deployments SET status = :status WHERE id = :id

UPDATE deployments SET last_polled = :now WHERE id = :id

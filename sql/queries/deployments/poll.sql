UPDATE deployments SET last_polled = :now, status = 'READY' WHERE id = :id

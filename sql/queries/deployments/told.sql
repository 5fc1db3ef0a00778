SELECT id FROM deployments WHERE work_queue_id = :queue AND status = :status LIMIT :limit

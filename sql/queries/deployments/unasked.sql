SELECT id FROM deployments
WHERE work_queue_id IS NULL AND status = 'READY' AND last_polled < :since
LIMIT :limit

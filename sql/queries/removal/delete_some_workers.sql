DELETE FROM workers WHERE id IN (SELECT id FROM workers WHERE work_pool_id = :id LIMIT :limit)

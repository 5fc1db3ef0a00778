SELECT count(*) FROM workers WHERE work_pool_id = :work_pool_id

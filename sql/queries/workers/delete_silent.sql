DELETE FROM workers WHERE id = (
    SELECT id FROM workers WHERE work_pool_id = :work_pool_id AND online_until < :now
    ORDER BY online_until LIMIT 1
)

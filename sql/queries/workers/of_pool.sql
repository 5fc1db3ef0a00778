SELECT {worker} FROM workers WHERE work_pool_id = :work_pool_id
ORDER BY last_heartbeat DESC, id DESC LIMIT :limit

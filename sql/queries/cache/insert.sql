INSERT INTO task_run_state_cache (cache_key, expiration, state_id) VALUES (:key, :expiration, :state_id)

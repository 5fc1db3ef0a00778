SELECT {state}
FROM task_run_states AS s
WHERE s.id = (
    SELECT state_id FROM task_run_state_cache
    WHERE cache_key = :key AND (expiration IS NULL OR expiration > :now)
    ORDER BY id DESC LIMIT 1
)

-- Entries that can answer nothing: expired ones, and those whose state is gone unless they hide
-- an older one.
SELECT id FROM task_run_state_cache AS c
WHERE id > :after
  AND (
    expiration <= :now
    OR (
      NOT EXISTS (SELECT 1 FROM task_run_states AS s WHERE s.id = c.state_id)
      AND NOT EXISTS (
        SELECT 1 FROM task_run_state_cache AS older WHERE older.cache_key = c.cache_key AND older.id < c.id
      )
    )
  )
ORDER BY id
LIMIT :limit

DELETE FROM flow_runs WHERE id IN (
    SELECT id FROM flow_runs
    -- What has begun once is waiting to be tried again, and has a history.
    WHERE deployment_id = :deployment_id AND auto_scheduled = 1 AND state_type = 'SCHEDULED'
      AND run_count = 0 AND start_time IS NULL
    LIMIT :limit)

DELETE FROM flow_runs WHERE id IN (
    SELECT id FROM flow_runs INDEXED BY flow_runs_to_come
    -- What has begun once is waiting to be tried again, and has a history.
    WHERE deployment_id = :deployment_id AND auto_scheduled = 1 AND state_type = 'SCHEDULED'
      AND run_count = 0 AND start_time IS NULL AND state_name <> 'AwaitingConcurrencySlot'
      -- What is due of a schedule that is followed stays: nobody would make it again.
      AND (next_scheduled_start_time > :now OR NOT EXISTS (
          SELECT 1 FROM schedules JOIN deployments ON deployments.id = schedules.deployment_id
          WHERE schedules.deployment_id = flow_runs.deployment_id
            AND schedules.active = 1 AND deployments.is_schedule_active = 1
            AND lower(hex(schedules.id)) = replace(json_extract(flow_runs.created_by, '$.id'), '-', '')))
    LIMIT :limit)

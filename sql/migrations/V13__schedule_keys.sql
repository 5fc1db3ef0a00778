-- The run of a date is known by the deployment as well, and by the date as today's generation
-- writes it: to the second or to the microsecond, with a space. Those that are to come are renamed,
-- so that none of them is made a second time.
UPDATE flow_runs SET idempotency_key = 'scheduled '
    || lower(substr(hex(deployment_id), 1, 8) || '-' || substr(hex(deployment_id), 9, 4) || '-'
             || substr(hex(deployment_id), 13, 4) || '-' || substr(hex(deployment_id), 17, 4) || '-'
             || substr(hex(deployment_id), 21, 12))
    || substr(idempotency_key, 10, 38)
    || CASE length(idempotency_key)
           WHEN 76 THEN replace(substr(idempotency_key, 48, 23), 'T', ' ') || '000+00:00'
           ELSE replace(substr(idempotency_key, 48), 'T', ' ')
       END
WHERE deployment_id IS NOT NULL AND auto_scheduled = 1 AND state_type = 'SCHEDULED'
  AND idempotency_key GLOB 'scheduled ????????-????-????-????-???????????? ????-??-??T*+00:00';

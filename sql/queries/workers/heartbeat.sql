INSERT INTO workers (id, created, updated, work_pool_id, name, last_heartbeat, heartbeat_secs, online_until)
VALUES (:id, :now, :now, :work_pool_id, :name, :now, :heartbeat_secs, :online_until)
ON CONFLICT (work_pool_id, name) DO UPDATE
SET updated = excluded.updated, last_heartbeat = excluded.last_heartbeat, heartbeat_secs = excluded.heartbeat_secs,
    online_until = excluded.online_until

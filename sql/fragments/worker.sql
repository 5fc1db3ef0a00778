workers.id, workers.created, workers.updated, workers.work_pool_id, workers.name, workers.last_heartbeat,
       workers.heartbeat_secs, workers.online_until

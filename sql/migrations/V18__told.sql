-- The status of a pool or a queue as it was last told in an event, so that each change is told
-- once; absent: it was not told yet. Of deployments that is their status.
ALTER TABLE work_pools ADD COLUMN told TEXT;
ALTER TABLE work_pools ADD COLUMN told_event BLOB;
ALTER TABLE work_pools ADD COLUMN told_at INTEGER;
ALTER TABLE work_queues ADD COLUMN told TEXT;

CREATE INDEX deployments_by_told ON deployments (work_queue_id, status, last_polled);

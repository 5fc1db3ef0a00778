-- Background tasks that wait to be begun. A row is there for as long as its run is in the
-- scheduled state with which it came here.
CREATE TABLE task_queue (
    task_run_id     BLOB    NOT NULL PRIMARY KEY REFERENCES task_runs (id) ON DELETE CASCADE,
    task_key        TEXT    NOT NULL,
    turn            INTEGER NOT NULL,           -- 0: before all that were never told
    enqueued        INTEGER NOT NULL,
    due             INTEGER NOT NULL,           -- not told before that
    holder          BLOB,                       -- the connection on which it was told; absent: it waits
    client          TEXT,                       -- who was told last
    is_acknowledged INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX task_queue_waiting   ON task_queue (task_key, turn, enqueued) WHERE holder IS NULL;
CREATE INDEX task_queue_by_holder ON task_queue (holder) WHERE holder IS NOT NULL;
CREATE INDEX task_queue_by_client ON task_queue (client) WHERE client IS NOT NULL;

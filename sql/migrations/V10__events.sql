-- What clients tell, and what the daemon tells of itself.
CREATE TABLE events (
    place       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- in the order of arrival; never given twice
    id          BLOB    NOT NULL UNIQUE,                    -- what is told twice is known by it
    occurred    INTEGER NOT NULL,
    received    INTEGER NOT NULL,
    name        TEXT    NOT NULL,
    resource_id TEXT    NOT NULL,
    resource    TEXT    NOT NULL,                           -- labels
    related     TEXT    NOT NULL,                           -- a list of labels
    payload     TEXT    NOT NULL,
    follows     BLOB
) STRICT;

CREATE INDEX events_by_time     ON events (occurred);
CREATE INDEX events_by_resource ON events (resource_id, occurred);

-- By which events related resources are found. No reference: an event's rows go with it by its
-- own list of them, since an index for the way back would cost as much as this one.
CREATE TABLE event_related (
    resource_id TEXT    NOT NULL,
    place       INTEGER NOT NULL,
    PRIMARY KEY (resource_id, place)
) STRICT, WITHOUT ROWID;

-- Tasks may run outside of any flow.
ALTER TABLE task_runs ALTER COLUMN flow_run_id DROP NOT NULL;
ALTER TABLE task_runs ADD COLUMN labels             TEXT    NOT NULL DEFAULT '{}';
ALTER TABLE task_runs ADD COLUMN empirical_policy   TEXT    NOT NULL DEFAULT '{}'; -- as the client says it
ALTER TABLE task_runs ADD COLUMN flow_run_run_count INTEGER NOT NULL DEFAULT 0;

-- Who runs what: pools of workers, and the queues that runs wait in. Whether something is ready
-- is not stored; it follows from when a worker was heard of.
CREATE TABLE work_pools (
    id                BLOB    NOT NULL PRIMARY KEY,
    created           INTEGER NOT NULL,
    updated           INTEGER NOT NULL,
    name              TEXT    NOT NULL UNIQUE,
    description       TEXT,
    type              TEXT    NOT NULL,                    -- 'docker', 'process', …
    base_job_template TEXT    NOT NULL DEFAULT '{}',
    is_paused         INTEGER NOT NULL DEFAULT 0,
    concurrency_limit INTEGER,
    storage           TEXT    NOT NULL DEFAULT '{}',       -- where results and bundles are kept
    default_queue_id  BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

-- Runs and deployments name a queue by its id; one that is gone is as good as none.
CREATE TABLE work_queues (
    id                BLOB    NOT NULL PRIMARY KEY,
    created           INTEGER NOT NULL,
    updated           INTEGER NOT NULL,
    work_pool_id      BLOB    NOT NULL REFERENCES work_pools (id) ON DELETE CASCADE,
    name              TEXT    NOT NULL,
    description       TEXT,
    is_paused         INTEGER NOT NULL DEFAULT 0,
    concurrency_limit INTEGER,
    priority          INTEGER NOT NULL,                    -- the smallest goes first
    filter            TEXT,                                -- of the 2.0 generation; only told back
    last_polled       INTEGER,
    UNIQUE (work_pool_id, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX work_queues_by_name     ON work_queues (name);
CREATE INDEX work_queues_by_priority ON work_queues (work_pool_id, priority);

CREATE TABLE workers (
    id             BLOB    NOT NULL PRIMARY KEY,
    created        INTEGER NOT NULL,
    updated        INTEGER NOT NULL,
    work_pool_id   BLOB    NOT NULL REFERENCES work_pools (id) ON DELETE CASCADE,
    name           TEXT    NOT NULL,
    last_heartbeat INTEGER NOT NULL,
    heartbeat_secs INTEGER,
    online_until   INTEGER NOT NULL,                       -- believed to be there up to then
    UNIQUE (work_pool_id, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX workers_by_pool   ON workers (work_pool_id, online_until);
CREATE INDEX workers_by_online ON workers (online_until);

CREATE TABLE variables (
    id      BLOB    NOT NULL PRIMARY KEY,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    name    TEXT    NOT NULL UNIQUE,
    value   TEXT    NOT NULL,                              -- any JSON value
    tags    TEXT    NOT NULL DEFAULT '[]'
) STRICT, WITHOUT ROWID;

-- What waits in a queue, in the order in which it is due, and what is under way of it.
CREATE INDEX flow_runs_by_queue ON flow_runs (work_queue_id, state_type, next_scheduled_start_time)
    WHERE work_queue_id IS NOT NULL;
-- What is due and waits in no queue, but for the runs of what serves itself.
CREATE INDEX flow_runs_due_free ON flow_runs (next_scheduled_start_time)
    WHERE state_type = 'SCHEDULED' AND deployment_id IS NOT NULL AND work_queue_id IS NULL
      AND infrastructure_kind IS NOT 'served';

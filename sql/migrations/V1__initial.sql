-- The first schema. Ids are 16-byte UUIDs, instants and lengths of time whole microseconds,
-- nested values JSON text. Tables whose key is the id are stored by that key: new ids grow
-- with time, so rows are appended and "newest first" is the key's own order.

CREATE TABLE flows (
    id      BLOB    NOT NULL PRIMARY KEY,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    name    TEXT    NOT NULL UNIQUE,
    tags    TEXT    NOT NULL DEFAULT '[]'
) STRICT, WITHOUT ROWID;

CREATE TABLE deployments (
    id                    BLOB    NOT NULL PRIMARY KEY,
    created               INTEGER NOT NULL,
    updated               INTEGER NOT NULL,
    name                  TEXT    NOT NULL,
    flow_id               BLOB    NOT NULL REFERENCES flows (id) ON DELETE CASCADE,
    flow_data             TEXT,                            -- document that leads to the flow's code
    schedule              TEXT,                            -- kind and settings
    is_schedule_active    INTEGER NOT NULL DEFAULT 1,
    parameters            TEXT    NOT NULL DEFAULT '{}',
    tags                  TEXT    NOT NULL DEFAULT '[]',
    infrastructure_kind   TEXT,                            -- 'docker', 'subprocess', …
    infrastructure_config TEXT,
    UNIQUE (flow_id, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX deployments_by_name ON deployments (name);
-- The deployments that the scheduler looks after.
CREATE INDEX deployments_scheduled ON deployments (id) WHERE schedule IS NOT NULL AND is_schedule_active = 1;

CREATE TABLE flow_runs (
    id                        BLOB    NOT NULL PRIMARY KEY,
    created                   INTEGER NOT NULL,
    updated                   INTEGER NOT NULL,
    name                      TEXT    NOT NULL,
    flow_id                   BLOB    NOT NULL REFERENCES flows (id) ON DELETE CASCADE,
    deployment_id             BLOB    REFERENCES deployments (id) ON DELETE SET NULL,
    flow_version              TEXT,
    parameters                TEXT    NOT NULL DEFAULT '{}',
    idempotency_key           TEXT,                        -- unique within the flow
    context                   TEXT    NOT NULL DEFAULT '{}',
    empirical_policy          TEXT    NOT NULL DEFAULT '{}',
    empirical_config          TEXT    NOT NULL DEFAULT '{}',
    tags                      TEXT    NOT NULL DEFAULT '[]',
    parent_task_run_id        BLOB    REFERENCES task_runs (id) ON DELETE SET NULL,
    auto_scheduled            INTEGER NOT NULL DEFAULT 0,
    infrastructure_kind       TEXT,
    infrastructure_config     TEXT,
    created_by                TEXT,                        -- local user, where one is known
    claimed_by                TEXT,                        -- agent that took the run
    claimed_at                INTEGER,
    infrastructure_id         TEXT,                        -- what that agent made for it
    run_count                 INTEGER NOT NULL DEFAULT 0,
    expected_start_time       INTEGER,
    next_scheduled_start_time INTEGER,                     -- only while scheduled
    start_time                INTEGER,
    end_time                  INTEGER,
    total_run_time            INTEGER NOT NULL DEFAULT 0,
    state_id                  BLOB,                        -- current state; its row is in flow_run_states
    state_type                TEXT,
    state_name                TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX flow_runs_by_name        ON flow_runs (name);
CREATE INDEX flow_runs_by_flow        ON flow_runs (flow_id);
CREATE INDEX flow_runs_by_deployment  ON flow_runs (deployment_id) WHERE deployment_id IS NOT NULL;
CREATE INDEX flow_runs_by_parent      ON flow_runs (parent_task_run_id) WHERE parent_task_run_id IS NOT NULL;
-- Also what is due: an agent asks for scheduled runs by their time.
CREATE INDEX flow_runs_by_state       ON flow_runs (state_type, next_scheduled_start_time);
CREATE INDEX flow_runs_by_expected    ON flow_runs (expected_start_time);
CREATE INDEX flow_runs_by_end         ON flow_runs (end_time) WHERE end_time IS NOT NULL;
CREATE UNIQUE INDEX flow_runs_by_key  ON flow_runs (flow_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
-- The runs that a deployment's schedule has made and that have not begun.
CREATE INDEX flow_runs_to_come        ON flow_runs (deployment_id, next_scheduled_start_time)
    WHERE auto_scheduled = 1 AND state_type = 'SCHEDULED';
-- What an agent has in hand: small whatever the table's size.
CREATE INDEX flow_runs_claimed        ON flow_runs (claimed_by)
    WHERE claimed_by IS NOT NULL AND state_type IN ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING');

CREATE TABLE flow_run_states (
    id            BLOB    NOT NULL PRIMARY KEY,
    run_id        BLOB    NOT NULL REFERENCES flow_runs (id) ON DELETE CASCADE,
    type          TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    timestamp     INTEGER NOT NULL,
    message       TEXT,
    data          TEXT,                                    -- result document
    state_details TEXT    NOT NULL DEFAULT '{}'
) STRICT, WITHOUT ROWID;

CREATE INDEX flow_run_states_by_run ON flow_run_states (run_id, timestamp);

CREATE TABLE task_runs (
    id                        BLOB    NOT NULL PRIMARY KEY,
    created                   INTEGER NOT NULL,
    updated                   INTEGER NOT NULL,
    name                      TEXT    NOT NULL,
    flow_run_id               BLOB    NOT NULL REFERENCES flow_runs (id) ON DELETE CASCADE,
    task_key                  TEXT    NOT NULL,
    dynamic_key               TEXT    NOT NULL,
    cache_key                 TEXT,
    cache_expiration          INTEGER,
    task_version              TEXT,
    max_retries               INTEGER NOT NULL DEFAULT 0,
    retry_delay               INTEGER NOT NULL DEFAULT 0,
    tags                      TEXT    NOT NULL DEFAULT '[]',
    task_inputs               TEXT    NOT NULL DEFAULT '{}',
    run_count                 INTEGER NOT NULL DEFAULT 0,
    expected_start_time       INTEGER,
    next_scheduled_start_time INTEGER,
    start_time                INTEGER,
    end_time                  INTEGER,
    total_run_time            INTEGER NOT NULL DEFAULT 0,
    state_id                  BLOB,
    state_type                TEXT,
    state_name                TEXT,
    UNIQUE (flow_run_id, task_key, dynamic_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX task_runs_by_name     ON task_runs (name);
CREATE INDEX task_runs_by_expected ON task_runs (expected_start_time);
CREATE INDEX task_runs_by_state    ON task_runs (state_type);

CREATE TABLE task_run_states (
    id            BLOB    NOT NULL PRIMARY KEY,
    run_id        BLOB    NOT NULL REFERENCES task_runs (id) ON DELETE CASCADE,
    type          TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    timestamp     INTEGER NOT NULL,
    message       TEXT,
    data          TEXT,
    state_details TEXT    NOT NULL DEFAULT '{}'
) STRICT, WITHOUT ROWID;

CREATE INDEX task_run_states_by_run ON task_run_states (run_id, timestamp);

-- Completed task states by cache key; the newest entry counts. Entries outlive their runs,
-- but an entry whose state is gone answers nothing.
CREATE TABLE task_run_state_cache (
    id         INTEGER NOT NULL PRIMARY KEY,
    cache_key  TEXT    NOT NULL,
    expiration INTEGER,
    state_id   BLOB    NOT NULL
) STRICT;

CREATE INDEX task_run_state_cache_by_key ON task_run_state_cache (cache_key, id);

CREATE TABLE logs (
    id          BLOB    NOT NULL PRIMARY KEY,
    created     INTEGER NOT NULL,
    name        TEXT    NOT NULL,
    level       INTEGER NOT NULL,
    message     TEXT    NOT NULL,
    timestamp   INTEGER NOT NULL,
    flow_run_id BLOB    NOT NULL,                          -- no reference: lines may come before and after their run
    task_run_id BLOB
) STRICT, WITHOUT ROWID;

CREATE INDEX logs_by_flow_run ON logs (flow_run_id, timestamp);
CREATE INDEX logs_by_task_run ON logs (task_run_id, timestamp) WHERE task_run_id IS NOT NULL;

CREATE TABLE saved_searches (
    id      BLOB    NOT NULL PRIMARY KEY,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    name    TEXT    NOT NULL UNIQUE,
    filters TEXT    NOT NULL DEFAULT '{}'
) STRICT, WITHOUT ROWID;

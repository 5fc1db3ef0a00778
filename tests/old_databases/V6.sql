-- What the sixth schema looked like on disk, with some rows of each kind, as `sqlite3 .dump` tells it.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
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
INSERT INTO "deployments" VALUES(X'01A20E9FADA673698B7828C3956568B1',1795541675430093,1795541675430093,'nightly',X'01A20E9FAD9970B1A3E2CAC284AAA83B','{"encoding":"x","blob":"y"}','{"interval":{"every":86400000000,"timezone":null,"anchor":1577836800000000,"anchor_offset_secs":0}}',0,'{"n":3}','[]','subprocess','{}');
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
INSERT INTO "flow_run_states" VALUES(X'01A20E9FADA971DEB067938116066278',X'01A20E9FADA971DEB067938075FFADE6','PENDING','Pending',1795541675433693,NULL,NULL,'{"flow_run_id":"01a20e9f-ada9-71de-b067-938075ffade6"}');
INSERT INTO "flow_run_states" VALUES(X'01A20E9FADB4740FA86DDA798DAFEB0F',X'01A20E9FADA971DEB067938075FFADE6','RUNNING','Running',1795541675444486,NULL,NULL,'{"flow_run_id":"01a20e9f-ada9-71de-b067-938075ffade6"}');
INSERT INTO "flow_run_states" VALUES(X'01A20E9FADBD765F82D2BBEC444D88EC',X'01A20E9FADA971DEB067938075FFADE6','COMPLETED','Completed',1795541675453481,'All states completed.',NULL,'{"flow_run_id":"01a20e9f-ada9-71de-b067-938075ffade6"}');
INSERT INTO "flow_run_states" VALUES(X'01A20E9FADDB74408E9889835E608A82',X'01A20E9FADDB74408E988982A9E824C5','SCHEDULED','Scheduled',1795541675482972,NULL,NULL,'{"flow_run_id":"01a20e9f-addb-7440-8e98-8982a9e824c5","scheduled_time":4102444800000000}');
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
, output_open INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
INSERT INTO "flow_runs" VALUES(X'01A20E9FADA971DEB067938075FFADE6',1795541675433693,1795541675453481,'brave-owl',X'01A20E9FAD9970B1A3E2CAC284AAA83B',X'01A20E9FADA673698B7828C3956568B1',NULL,'{"n":4}',NULL,'{}','{}','{}','[]',NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,1,1795541675433693,NULL,1795541675444486,1795541675453481,8995,X'01A20E9FADBD765F82D2BBEC444D88EC','COMPLETED','Completed',0);
INSERT INTO "flow_runs" VALUES(X'01A20E9FADDB74408E988982A9E824C5',1795541675482972,1795541675482972,'shy-fox',X'01A20E9FAD9970B1A3E2CAC284AAA83B',X'01A20E9FADA673698B7828C3956568B1',NULL,'{"n":3}',NULL,'{}','{}','{}','[]',NULL,0,'subprocess','{}',NULL,NULL,NULL,NULL,0,4102444800000000,4102444800000000,NULL,NULL,0,X'01A20E9FADDB74408E9889835E608A82','SCHEDULED','Scheduled',0);
CREATE TABLE flows (
    id      BLOB    NOT NULL PRIMARY KEY,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    name    TEXT    NOT NULL UNIQUE,
    tags    TEXT    NOT NULL DEFAULT '[]'
) STRICT, WITHOUT ROWID;
INSERT INTO "flows" VALUES(X'01A20E9FAD9970B1A3E2CAC284AAA83B',1795541675417159,1795541675417159,'etl','["old"]');
CREATE TABLE logs (
    id          BLOB    NOT NULL PRIMARY KEY,
    created     INTEGER NOT NULL,
    name        TEXT    NOT NULL,
    level       INTEGER NOT NULL,
    message     TEXT    NOT NULL,
    timestamp   INTEGER NOT NULL,
    flow_run_id BLOB    NOT NULL,                          -- no reference: lines may come before and after their run
    task_run_id BLOB
, stream TEXT) STRICT, WITHOUT ROWID;
INSERT INTO "logs" VALUES(X'01A20E9FADC1744E81CBC4B0C82EA08E',1795541675457441,'prefect.flow_runs',20,'Finished in state Completed()',1767225600000000,X'01A20E9FADA971DEB067938075FFADE6',NULL,NULL);
CREATE TABLE refinery_schema_history(
             version int4 PRIMARY KEY,
             name VARCHAR(255),
             applied_on VARCHAR(255),
             checksum VARCHAR(255));
INSERT INTO "refinery_schema_history" VALUES(1,'initial','2026-11-24T17:34:31.564317273Z','10281386845230131947');
INSERT INTO "refinery_schema_history" VALUES(2,'output','2026-11-26T21:08:13.024940353Z','6711376066361242372');
INSERT INTO "refinery_schema_history" VALUES(3,'retention','2026-11-26T21:08:13.024956608Z','12669618942174401605');
INSERT INTO "refinery_schema_history" VALUES(4,'requests','2026-11-26T21:08:13.024959918Z','14455231440306727592');
INSERT INTO "refinery_schema_history" VALUES(5,'removals','2026-11-26T21:08:13.024963279Z','1718800258710931294');
INSERT INTO "refinery_schema_history" VALUES(6,'due','2026-11-26T21:08:13.024966186Z','14979363852170068841');
CREATE TABLE removals (
    kind TEXT NOT NULL,                                    -- 'flow', 'deployment', 'flow-run', 'task-run', 'everything'
    id   BLOB NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE requests (
    id      INTEGER NOT NULL PRIMARY KEY, -- in the order of time
    key     BLOB    NOT NULL UNIQUE,      -- the request's Idempotency-Key and what it was of
    created INTEGER NOT NULL,
    subject BLOB                          -- what it made; absent where its answer names nothing
) STRICT;
INSERT INTO "requests" VALUES(1,X'01A20E9FADA971DEB067938075FFAAAA010203040506070800',1795541675477777,X'01A20E9FADA971DEB067938075FFADE6');
CREATE TABLE saved_searches (
    id      BLOB    NOT NULL PRIMARY KEY,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    name    TEXT    NOT NULL UNIQUE,
    filters TEXT    NOT NULL DEFAULT '{}'
) STRICT, WITHOUT ROWID;
INSERT INTO "saved_searches" VALUES(X'01A20E9FADD971769D6F4E11CC93AAAE',1795541675481140,1795541675481140,'mine','{}');
CREATE TABLE task_run_state_cache (
    id         INTEGER NOT NULL PRIMARY KEY,
    cache_key  TEXT    NOT NULL,
    expiration INTEGER,
    state_id   BLOB    NOT NULL
) STRICT;
INSERT INTO "task_run_state_cache" VALUES(1,'k',NULL,X'01A20E9FADB870CFB302A2C2216E6DBE');
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
INSERT INTO "task_run_states" VALUES(X'01A20E9FADB6704493C8A5C94C79B480',X'01A20E9FADB57607BA8433948531FE80','PENDING','Pending',1795541675445841,NULL,NULL,'{"flow_run_id":"01a20e9f-ada9-71de-b067-938075ffade6","task_run_id":"01a20e9f-adb5-7607-ba84-33948531fe80"}');
INSERT INTO "task_run_states" VALUES(X'01A20E9FADB7764BB1C50360501A316A',X'01A20E9FADB57607BA8433948531FE80','RUNNING','Running',1795541675447319,NULL,NULL,'{"flow_run_id":"01a20e9f-ada9-71de-b067-938075ffade6","task_run_id":"01a20e9f-adb5-7607-ba84-33948531fe80"}');
INSERT INTO "task_run_states" VALUES(X'01A20E9FADB870CFB302A2C2216E6DBE',X'01A20E9FADB57607BA8433948531FE80','COMPLETED','Completed',1795541675448208,NULL,'{"encoding":"json","blob":"7"}','{"flow_run_id":"01a20e9f-ada9-71de-b067-938075ffade6","task_run_id":"01a20e9f-adb5-7607-ba84-33948531fe80","cache_key":"k"}');
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
INSERT INTO "task_runs" VALUES(X'01A20E9FADB57607BA8433948531FE80',1795541675445841,1795541675448208,'extract',X'01A20E9FADA971DEB067938075FFADE6','t','0',NULL,NULL,NULL,0,0,'[]','{}',1,1795541675445841,NULL,1795541675447319,1795541675448208,889,X'01A20E9FADB870CFB302A2C2216E6DBE','COMPLETED','Completed');
CREATE INDEX deployments_by_name ON deployments (name);
CREATE INDEX deployments_scheduled ON deployments (id) WHERE schedule IS NOT NULL AND is_schedule_active = 1;
CREATE INDEX flow_runs_by_name        ON flow_runs (name);
CREATE INDEX flow_runs_by_flow        ON flow_runs (flow_id);
CREATE INDEX flow_runs_by_deployment  ON flow_runs (deployment_id) WHERE deployment_id IS NOT NULL;
CREATE INDEX flow_runs_by_parent      ON flow_runs (parent_task_run_id) WHERE parent_task_run_id IS NOT NULL;
CREATE INDEX flow_runs_by_state       ON flow_runs (state_type, next_scheduled_start_time);
CREATE INDEX flow_runs_by_expected    ON flow_runs (expected_start_time);
CREATE INDEX flow_runs_by_end         ON flow_runs (end_time) WHERE end_time IS NOT NULL;
CREATE UNIQUE INDEX flow_runs_by_key  ON flow_runs (flow_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX flow_runs_to_come        ON flow_runs (deployment_id, next_scheduled_start_time)
    WHERE auto_scheduled = 1 AND state_type = 'SCHEDULED';
CREATE INDEX flow_runs_claimed        ON flow_runs (claimed_by)
    WHERE claimed_by IS NOT NULL AND state_type IN ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING');
CREATE INDEX flow_run_states_by_run ON flow_run_states (run_id, timestamp);
CREATE INDEX task_runs_by_name     ON task_runs (name);
CREATE INDEX task_runs_by_expected ON task_runs (expected_start_time);
CREATE INDEX task_runs_by_state    ON task_runs (state_type);
CREATE INDEX task_run_states_by_run ON task_run_states (run_id, timestamp);
CREATE INDEX task_run_state_cache_by_key ON task_run_state_cache (cache_key, id);
CREATE INDEX logs_by_flow_run ON logs (flow_run_id, timestamp);
CREATE INDEX logs_by_task_run ON logs (task_run_id, timestamp) WHERE task_run_id IS NOT NULL;
CREATE INDEX flow_runs_with_open_output ON flow_runs (claimed_by) WHERE output_open = 1;
CREATE INDEX flow_runs_never_ran ON flow_runs (updated)
    WHERE end_time IS NULL AND state_type IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED');
CREATE INDEX flow_runs_due      ON flow_runs (next_scheduled_start_time)
    WHERE state_type = 'SCHEDULED' AND deployment_id IS NOT NULL;
CREATE INDEX flow_runs_not_late ON flow_runs (next_scheduled_start_time)
    WHERE state_type = 'SCHEDULED' AND state_name = 'Scheduled';
COMMIT;

-- What runs leave for people to look at. One may outlive its run, so that nothing refers to runs.
CREATE TABLE artifacts (
    id          BLOB    NOT NULL PRIMARY KEY,
    created     INTEGER NOT NULL,
    updated     INTEGER NOT NULL,
    key         TEXT,                                      -- shared by those that follow each other
    type        TEXT,                                      -- 'markdown', 'table', …
    description TEXT,
    data        TEXT,                                      -- any JSON value
    metadata    TEXT,                                      -- an object of texts
    flow_run_id BLOB,
    task_run_id BLOB
) STRICT;

CREATE INDEX artifacts_by_key      ON artifacts (key, created) WHERE key IS NOT NULL;
CREATE INDEX artifacts_by_flow_run ON artifacts (flow_run_id)  WHERE flow_run_id IS NOT NULL;
CREATE INDEX artifacts_by_task_run ON artifacts (task_run_id)  WHERE task_run_id IS NOT NULL;

-- The latest artifact of each key.
CREATE TABLE artifact_collections (
    id        BLOB    NOT NULL PRIMARY KEY,
    created   INTEGER NOT NULL,
    key       TEXT    NOT NULL UNIQUE,
    latest_id BLOB    NOT NULL UNIQUE REFERENCES artifacts (id)
) STRICT, WITHOUT ROWID;

-- A collection as it is told: it is as its latest artifact is.
CREATE VIEW latest_artifacts AS
SELECT artifact_collections.id, artifact_collections.created, artifacts.updated,
       artifact_collections.key, artifact_collections.latest_id, artifacts.type,
       artifacts.description, artifacts.data, artifacts.metadata, artifacts.flow_run_id,
       artifacts.task_run_id
FROM artifact_collections
JOIN artifacts ON artifacts.id = artifact_collections.latest_id;

-- A deployment has any number of schedules. By the first of them, dialects that know only one
-- are answered.
CREATE TABLE schedules (
    id            BLOB    NOT NULL PRIMARY KEY,
    created       INTEGER NOT NULL,
    updated       INTEGER NOT NULL,
    deployment_id BLOB    NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    slug          TEXT,                                    -- names it within its deployment
    schedule      TEXT    NOT NULL,                        -- kind and settings
    active        INTEGER NOT NULL DEFAULT 1,              -- while the deployment's are followed at all
    parameters    TEXT    NOT NULL DEFAULT '{}',           -- laid over the deployment's
    UNIQUE (deployment_id, slug)
) STRICT, WITHOUT ROWID;

-- The schedules that the scheduler looks after.
CREATE INDEX schedules_active ON schedules (id) WHERE active = 1;

-- A deployment's only schedule has the deployment's id: by it the runs are known that it made.
INSERT INTO schedules (id, created, updated, deployment_id, schedule)
SELECT id, created, updated, id, schedule FROM deployments WHERE schedule IS NOT NULL;

DROP INDEX deployments_scheduled;
ALTER TABLE deployments DROP COLUMN schedule;

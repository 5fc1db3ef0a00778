-- Flow runs as the modern generation knows them.
ALTER TABLE flow_runs ADD COLUMN labels TEXT NOT NULL DEFAULT '{}';
ALTER TABLE flow_runs ADD COLUMN job_variables TEXT;                 -- laid over the deployment's
ALTER TABLE flow_runs ADD COLUMN work_queue_id BLOB;                 -- no reference: queues may go before their runs
ALTER TABLE flow_runs ADD COLUMN infrastructure_pid TEXT;            -- what a worker that speaks the API made for it
ALTER TABLE flow_runs ADD COLUMN deployment_version TEXT;
-- When its state is over unless something happens: a pause that nobody resumes, a cancellation
-- that nobody confirms.
ALTER TABLE flow_runs ADD COLUMN state_deadline INTEGER;

CREATE INDEX flow_runs_by_deadline ON flow_runs (state_deadline) WHERE state_deadline IS NOT NULL;

-- Who created a run: an object with a type, an id where there is one, and a name for people.
UPDATE flow_runs SET created_by = CASE
    WHEN created_by LIKE 'user:%' THEN json_object('type', 'USER', 'display_value', substr(created_by, 6))
    WHEN created_by LIKE 'flow-run:%' THEN
        json_object('type', 'FLOW_RUN', 'id', substr(created_by, 10), 'display_value', substr(created_by, 10))
END
WHERE created_by IS NOT NULL;

-- What is handed to a run while it runs: the schema of an input that it waits for, the input
-- itself, and whatever else clients send it.
CREATE TABLE flow_run_inputs (
    id          BLOB    NOT NULL PRIMARY KEY,
    created     INTEGER NOT NULL,
    updated     INTEGER NOT NULL,
    flow_run_id BLOB    NOT NULL REFERENCES flow_runs (id) ON DELETE CASCADE,
    key         TEXT    NOT NULL,
    value       TEXT    NOT NULL,
    sender      TEXT,
    UNIQUE (flow_run_id, key)
) STRICT, WITHOUT ROWID;

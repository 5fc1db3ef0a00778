-- What is to go and has not gone whole. What belongs to it goes piece by piece, so that no
-- other write waits long, and goes on going after a restart.
CREATE TABLE removals (
    kind TEXT NOT NULL,                                    -- 'flow', 'deployment', 'flow-run', 'task-run', 'everything'
    id   BLOB NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

-- Runs that were made by schedules of deployments that are gone: nothing would ever run them.
DELETE FROM flow_runs
WHERE state_type = 'SCHEDULED' AND auto_scheduled = 1 AND deployment_id IS NULL AND run_count = 0;

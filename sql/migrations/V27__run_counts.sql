-- How many runs have ended, by the second and by the hour in which they were expected to start and
-- in which they started, so that counts and histories of months are made of some thousand rows.
-- Runs that have not ended are few and change often; they are counted by themselves.
--
-- The columns that runs have as well are called as there and hold the same, so that what is asked
-- of runs can be asked of these; but a time is where its second or hour begins. Where a run has no
-- time that is the smallest number, and where it has no deployment or queue an empty id.
--
-- What enters a state counts itself (queries/run_counts). What goes, or leaves its deployment, may
-- be many rows at once and is seen by triggers; on what enters a state these would take as long as
-- all the rest of it.
CREATE TABLE flow_run_counts (
    step                INTEGER NOT NULL, -- a second or an hour, in microseconds
    expected_start_time INTEGER NOT NULL,
    start_time          INTEGER NOT NULL,
    state_type          TEXT    NOT NULL,
    state_name          TEXT    NOT NULL,
    flow_id             BLOB    NOT NULL,
    deployment_id       BLOB    NOT NULL,
    work_queue_id       BLOB    NOT NULL,
    count               INTEGER NOT NULL,
    run_time            INTEGER NOT NULL, -- together, in microseconds
    lateness            INTEGER NOT NULL, -- together, in microseconds
    PRIMARY KEY (step, expected_start_time, start_time, state_type, state_name, flow_id, deployment_id, work_queue_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE task_run_counts (
    step                INTEGER NOT NULL,
    expected_start_time INTEGER NOT NULL,
    start_time          INTEGER NOT NULL,
    state_type          TEXT    NOT NULL,
    state_name          TEXT    NOT NULL,
    in_flow_run         INTEGER NOT NULL, -- whether it is part of one
    count               INTEGER NOT NULL,
    run_time            INTEGER NOT NULL,
    lateness            INTEGER NOT NULL,
    PRIMARY KEY (step, expected_start_time, start_time, state_type, state_name, in_flow_run)
) STRICT, WITHOUT ROWID;

-- The remainder of a time before 1970 is negative.
INSERT INTO flow_run_counts
SELECT 1000000, coalesce(expected_start_time - (expected_start_time % 1000000 + 1000000) % 1000000, -9223372036854775807 - 1),
       coalesce(start_time - (start_time % 1000000 + 1000000) % 1000000, -9223372036854775807 - 1),
       state_type, coalesce(state_name, ''), flow_id, coalesce(deployment_id, x''), coalesce(work_queue_id, x''),
       count(*), CAST(total(max(0, total_run_time)) AS INTEGER), CAST(total(max(0, coalesce(start_time - expected_start_time, 0))) AS INTEGER)
FROM flow_runs NOT INDEXED WHERE state_type IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED') GROUP BY 2, 3, 4, 5, 6, 7, 8;

INSERT INTO flow_run_counts
SELECT 3600000000, iif(expected_start_time = -9223372036854775807 - 1, expected_start_time, expected_start_time - (expected_start_time % 3600000000 + 3600000000) % 3600000000),
       iif(start_time = -9223372036854775807 - 1, start_time, start_time - (start_time % 3600000000 + 3600000000) % 3600000000),
       state_type, state_name, flow_id, deployment_id, work_queue_id, sum(count), CAST(total(run_time) AS INTEGER), CAST(total(lateness) AS INTEGER)
FROM flow_run_counts GROUP BY 2, 3, 4, 5, 6, 7, 8;

INSERT INTO task_run_counts
SELECT 1000000, coalesce(expected_start_time - (expected_start_time % 1000000 + 1000000) % 1000000, -9223372036854775807 - 1),
       coalesce(start_time - (start_time % 1000000 + 1000000) % 1000000, -9223372036854775807 - 1),
       state_type, coalesce(state_name, ''), flow_run_id IS NOT NULL,
       count(*), CAST(total(max(0, total_run_time)) AS INTEGER), CAST(total(max(0, coalesce(start_time - expected_start_time, 0))) AS INTEGER)
FROM task_runs NOT INDEXED WHERE state_type IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED') GROUP BY 2, 3, 4, 5, 6;

INSERT INTO task_run_counts
SELECT 3600000000, iif(expected_start_time = -9223372036854775807 - 1, expected_start_time, expected_start_time - (expected_start_time % 3600000000 + 3600000000) % 3600000000),
       iif(start_time = -9223372036854775807 - 1, start_time, start_time - (start_time % 3600000000 + 3600000000) % 3600000000),
       state_type, state_name, in_flow_run, sum(count), CAST(total(run_time) AS INTEGER), CAST(total(lateness) AS INTEGER)
FROM task_run_counts GROUP BY 2, 3, 4, 5, 6;

-- Each names the whole key of what it changes, once for seconds and once for hours: only so is it found
-- by that key, and SQLite has no way to name it once for several statements.
CREATE TRIGGER flow_runs_count_no_more BEFORE DELETE ON flow_runs WHEN old.state_type IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED') BEGIN
    UPDATE flow_run_counts
    SET count = count - 1, run_time = max(0, run_time - max(0, old.total_run_time)),
        lateness = max(0, lateness - max(0, coalesce(old.start_time - old.expected_start_time, 0)))
    WHERE step = 1000000
      AND expected_start_time = coalesce(old.expected_start_time - (old.expected_start_time % 1000000 + 1000000) % 1000000, -9223372036854775807 - 1)
      AND start_time = coalesce(old.start_time - (old.start_time % 1000000 + 1000000) % 1000000, -9223372036854775807 - 1)
      AND state_type = old.state_type
      AND state_name = coalesce(old.state_name, '')
      AND flow_id = old.flow_id
      AND deployment_id = coalesce(old.deployment_id, x'')
      AND work_queue_id = coalesce(old.work_queue_id, x'');
    DELETE FROM flow_run_counts
    WHERE count = 0 AND step = 1000000
      AND expected_start_time = coalesce(old.expected_start_time - (old.expected_start_time % 1000000 + 1000000) % 1000000, -9223372036854775807 - 1)
      AND start_time = coalesce(old.start_time - (old.start_time % 1000000 + 1000000) % 1000000, -9223372036854775807 - 1)
      AND state_type = old.state_type
      AND state_name = coalesce(old.state_name, '')
      AND flow_id = old.flow_id
      AND deployment_id = coalesce(old.deployment_id, x'')
      AND work_queue_id = coalesce(old.work_queue_id, x'');
    UPDATE flow_run_counts
    SET count = count - 1, run_time = max(0, run_time - max(0, old.total_run_time)),
        lateness = max(0, lateness - max(0, coalesce(old.start_time - old.expected_start_time, 0)))
    WHERE step = 3600000000
      AND expected_start_time = coalesce(old.expected_start_time - (old.expected_start_time % 3600000000 + 3600000000) % 3600000000, -9223372036854775807 - 1)
      AND start_time = coalesce(old.start_time - (old.start_time % 3600000000 + 3600000000) % 3600000000, -9223372036854775807 - 1)
      AND state_type = old.state_type
      AND state_name = coalesce(old.state_name, '')
      AND flow_id = old.flow_id
      AND deployment_id = coalesce(old.deployment_id, x'')
      AND work_queue_id = coalesce(old.work_queue_id, x'');
    DELETE FROM flow_run_counts
    WHERE count = 0 AND step = 3600000000
      AND expected_start_time = coalesce(old.expected_start_time - (old.expected_start_time % 3600000000 + 3600000000) % 3600000000, -9223372036854775807 - 1)
      AND start_time = coalesce(old.start_time - (old.start_time % 3600000000 + 3600000000) % 3600000000, -9223372036854775807 - 1)
      AND state_type = old.state_type
      AND state_name = coalesce(old.state_name, '')
      AND flow_id = old.flow_id
      AND deployment_id = coalesce(old.deployment_id, x'')
      AND work_queue_id = coalesce(old.work_queue_id, x'');
END;

CREATE TRIGGER task_runs_count_no_more BEFORE DELETE ON task_runs WHEN old.state_type IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED') BEGIN
    UPDATE task_run_counts
    SET count = count - 1, run_time = max(0, run_time - max(0, old.total_run_time)),
        lateness = max(0, lateness - max(0, coalesce(old.start_time - old.expected_start_time, 0)))
    WHERE step = 1000000
      AND expected_start_time = coalesce(old.expected_start_time - (old.expected_start_time % 1000000 + 1000000) % 1000000, -9223372036854775807 - 1)
      AND start_time = coalesce(old.start_time - (old.start_time % 1000000 + 1000000) % 1000000, -9223372036854775807 - 1)
      AND state_type = old.state_type
      AND state_name = coalesce(old.state_name, '')
      AND in_flow_run = (old.flow_run_id IS NOT NULL);
    DELETE FROM task_run_counts
    WHERE count = 0 AND step = 1000000
      AND expected_start_time = coalesce(old.expected_start_time - (old.expected_start_time % 1000000 + 1000000) % 1000000, -9223372036854775807 - 1)
      AND start_time = coalesce(old.start_time - (old.start_time % 1000000 + 1000000) % 1000000, -9223372036854775807 - 1)
      AND state_type = old.state_type
      AND state_name = coalesce(old.state_name, '')
      AND in_flow_run = (old.flow_run_id IS NOT NULL);
    UPDATE task_run_counts
    SET count = count - 1, run_time = max(0, run_time - max(0, old.total_run_time)),
        lateness = max(0, lateness - max(0, coalesce(old.start_time - old.expected_start_time, 0)))
    WHERE step = 3600000000
      AND expected_start_time = coalesce(old.expected_start_time - (old.expected_start_time % 3600000000 + 3600000000) % 3600000000, -9223372036854775807 - 1)
      AND start_time = coalesce(old.start_time - (old.start_time % 3600000000 + 3600000000) % 3600000000, -9223372036854775807 - 1)
      AND state_type = old.state_type
      AND state_name = coalesce(old.state_name, '')
      AND in_flow_run = (old.flow_run_id IS NOT NULL);
    DELETE FROM task_run_counts
    WHERE count = 0 AND step = 3600000000
      AND expected_start_time = coalesce(old.expected_start_time - (old.expected_start_time % 3600000000 + 3600000000) % 3600000000, -9223372036854775807 - 1)
      AND start_time = coalesce(old.start_time - (old.start_time % 3600000000 + 3600000000) % 3600000000, -9223372036854775807 - 1)
      AND state_type = old.state_type
      AND state_name = coalesce(old.state_name, '')
      AND in_flow_run = (old.flow_run_id IS NOT NULL);
END;

CREATE TRIGGER flow_runs_leave_deployments BEFORE UPDATE OF deployment_id ON flow_runs
WHEN old.state_type IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED') BEGIN
    UPDATE flow_run_counts
    SET count = count - 1, run_time = max(0, run_time - max(0, old.total_run_time)),
        lateness = max(0, lateness - max(0, coalesce(old.start_time - old.expected_start_time, 0)))
    WHERE step = 1000000
      AND expected_start_time = coalesce(old.expected_start_time - (old.expected_start_time % 1000000 + 1000000) % 1000000, -9223372036854775807 - 1)
      AND start_time = coalesce(old.start_time - (old.start_time % 1000000 + 1000000) % 1000000, -9223372036854775807 - 1)
      AND state_type = old.state_type
      AND state_name = coalesce(old.state_name, '')
      AND flow_id = old.flow_id
      AND deployment_id = coalesce(old.deployment_id, x'')
      AND work_queue_id = coalesce(old.work_queue_id, x'');
    DELETE FROM flow_run_counts
    WHERE count = 0 AND step = 1000000
      AND expected_start_time = coalesce(old.expected_start_time - (old.expected_start_time % 1000000 + 1000000) % 1000000, -9223372036854775807 - 1)
      AND start_time = coalesce(old.start_time - (old.start_time % 1000000 + 1000000) % 1000000, -9223372036854775807 - 1)
      AND state_type = old.state_type
      AND state_name = coalesce(old.state_name, '')
      AND flow_id = old.flow_id
      AND deployment_id = coalesce(old.deployment_id, x'')
      AND work_queue_id = coalesce(old.work_queue_id, x'');
    UPDATE flow_run_counts
    SET count = count - 1, run_time = max(0, run_time - max(0, old.total_run_time)),
        lateness = max(0, lateness - max(0, coalesce(old.start_time - old.expected_start_time, 0)))
    WHERE step = 3600000000
      AND expected_start_time = coalesce(old.expected_start_time - (old.expected_start_time % 3600000000 + 3600000000) % 3600000000, -9223372036854775807 - 1)
      AND start_time = coalesce(old.start_time - (old.start_time % 3600000000 + 3600000000) % 3600000000, -9223372036854775807 - 1)
      AND state_type = old.state_type
      AND state_name = coalesce(old.state_name, '')
      AND flow_id = old.flow_id
      AND deployment_id = coalesce(old.deployment_id, x'')
      AND work_queue_id = coalesce(old.work_queue_id, x'');
    DELETE FROM flow_run_counts
    WHERE count = 0 AND step = 3600000000
      AND expected_start_time = coalesce(old.expected_start_time - (old.expected_start_time % 3600000000 + 3600000000) % 3600000000, -9223372036854775807 - 1)
      AND start_time = coalesce(old.start_time - (old.start_time % 3600000000 + 3600000000) % 3600000000, -9223372036854775807 - 1)
      AND state_type = old.state_type
      AND state_name = coalesce(old.state_name, '')
      AND flow_id = old.flow_id
      AND deployment_id = coalesce(old.deployment_id, x'')
      AND work_queue_id = coalesce(old.work_queue_id, x'');
END;

-- Sums stop at the largest number.
CREATE TRIGGER flow_runs_have_left AFTER UPDATE OF deployment_id ON flow_runs
WHEN new.state_type IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED') BEGIN
    INSERT INTO flow_run_counts
    VALUES (1000000, coalesce(new.expected_start_time - (new.expected_start_time % 1000000 + 1000000) % 1000000, -9223372036854775807 - 1), coalesce(new.start_time - (new.start_time % 1000000 + 1000000) % 1000000, -9223372036854775807 - 1), new.state_type, coalesce(new.state_name, ''), new.flow_id, coalesce(new.deployment_id, x''), coalesce(new.work_queue_id, x''),
            1, max(0, new.total_run_time), max(0, coalesce(new.start_time - new.expected_start_time, 0))),
           (3600000000, coalesce(new.expected_start_time - (new.expected_start_time % 3600000000 + 3600000000) % 3600000000, -9223372036854775807 - 1), coalesce(new.start_time - (new.start_time % 3600000000 + 3600000000) % 3600000000, -9223372036854775807 - 1), new.state_type, coalesce(new.state_name, ''), new.flow_id, coalesce(new.deployment_id, x''), coalesce(new.work_queue_id, x''),
            1, max(0, new.total_run_time), max(0, coalesce(new.start_time - new.expected_start_time, 0)))
    ON CONFLICT DO UPDATE SET count = count + 1,
        run_time = min(9223372036854775807, run_time + excluded.run_time),
        lateness = min(9223372036854775807, lateness + excluded.lateness);
END;

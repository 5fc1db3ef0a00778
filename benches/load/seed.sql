-- Stored runs for the benchmark, up to now: 2 task runs, 4 and 3 states, and 10 log lines each.
-- Ids are made from the run's number as the daemon makes them, growing with time. :runs, :now, and
-- when the run n began, :at, are put in by seed.rs. Every build of the daemon has these tables.

CREATE TEMP TABLE run (n INTEGER PRIMARY KEY, at INTEGER NOT NULL, id BLOB NOT NULL);
INSERT INTO run
WITH RECURSIVE step (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM step WHERE n < :runs)
SELECT n, at, unhex(printf('%012x7001%016x', at / 1000, 0x8000000000000000 | n))
FROM (SELECT n, :at AS at FROM step);

-- What belongs to a run and comes some milliseconds after it: its place (task, state, line).
CREATE TEMP TABLE place (kind TEXT, k INTEGER, state TEXT, word TEXT);
INSERT INTO place VALUES
    ('flow', 0, 'SCHEDULED', 'Scheduled'), ('flow', 1, 'PENDING', 'Pending'), ('flow', 2, 'RUNNING', 'Running'),
    ('task', 0, 'PENDING', 'Pending'), ('task', 1, 'RUNNING', 'Running'), ('task', 2, 'COMPLETED', 'Completed');

INSERT INTO flows (id, created, updated, name)
WITH RECURSIVE f (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM f WHERE n < 19)
SELECT unhex(printf('%032x', n + 1)), :now, :now, printf('seeded-%d', n) FROM f;

INSERT INTO deployments (id, created, updated, name, flow_id)
SELECT id, created, updated, 'seeded', id FROM flows WHERE name LIKE 'seeded-%';

-- One in twenty failed, one in a thousand is to come, the others completed.
INSERT INTO flow_runs (id, created, updated, name, flow_id, deployment_id, parameters, run_count, expected_start_time,
                       next_scheduled_start_time, start_time, end_time, total_run_time, state_id, state_type, state_name)
SELECT id, at, at, printf('seeded-%x', n * 2654435761 % 4294967296), unhex(printf('%032x', n % 20 + 1)),
       CASE WHEN n % 2 = 0 THEN unhex(printf('%032x', n % 20 + 1)) END, '{"x":1}', n % 1000 > 0,
       CASE WHEN n % 1000 = 0 THEN :now + 31536000000000 ELSE at END,
       CASE WHEN n % 1000 = 0 THEN :now + 31536000000000 END,
       CASE WHEN n % 1000 > 0 THEN at END, CASE WHEN n % 1000 > 0 THEN at + 5000000 END, 5000000,
       unhex(printf('%012x7002%016x', at / 1000, 0x8000000000000000 | n * 4 + 3)),
       CASE WHEN n % 1000 = 0 THEN 'SCHEDULED' WHEN n % 20 = 0 THEN 'FAILED' ELSE 'COMPLETED' END,
       CASE WHEN n % 1000 = 0 THEN 'Scheduled' WHEN n % 20 = 0 THEN 'Failed' ELSE 'Completed' END
FROM run;

INSERT INTO flow_run_states (id, run_id, type, name, timestamp, state_details)
SELECT unhex(printf('%012x7002%016x', at / 1000, 0x8000000000000000 | run.n * 4 + k)), run.id,
       iif(k = 3, state_type, state), iif(k = 3, state_name, word), at + k * 1000,
       printf('{"flow_run_id":"%s"}', lower(hex(run.id)))
FROM run JOIN flow_runs ON flow_runs.id = run.id
JOIN (SELECT k, state, word FROM place WHERE kind = 'flow' UNION ALL SELECT 3, '', '');

INSERT INTO task_runs (id, created, updated, name, flow_run_id, task_key, dynamic_key, run_count, expected_start_time,
                       start_time, end_time, total_run_time, state_id, state_type, state_name)
SELECT unhex(printf('%012x7003%016x', at / 1000, 0x8000000000000000 | n * 2 + t)), at, at, printf('extract-f3a5c1d2-%d', t),
       id, 'f3a5c1d28e0b4a7790c2d1e4b5a69788', t, 1, at, at, at + 2000000, 2000000,
       unhex(printf('%012x7004%016x', at / 1000, 0x8000000000000000 | (n * 2 + t) * 4 + 2)), 'COMPLETED', 'Completed'
FROM run JOIN (SELECT 0 AS t UNION ALL SELECT 1);

INSERT INTO task_run_states (id, run_id, type, name, timestamp)
SELECT unhex(printf('%012x7004%016x', at / 1000, 0x8000000000000000 | (n * 2 + t) * 4 + k)),
       unhex(printf('%012x7003%016x', at / 1000, 0x8000000000000000 | n * 2 + t)), state, word, at + k * 1000
FROM run JOIN (SELECT 0 AS t UNION ALL SELECT 1) JOIN place ON kind = 'task';

INSERT INTO logs (id, created, name, level, message, timestamp, flow_run_id)
WITH RECURSIVE l (k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM l WHERE k < 9)
SELECT unhex(printf('%012x7005%016x', at / 1000, 0x8000000000000000 | n * 16 + k)), at, 'prefect.flow_runs', 20,
       printf('Finished step %d of the work in state Completed()', k), at + k * 1000, id
FROM run JOIN l;

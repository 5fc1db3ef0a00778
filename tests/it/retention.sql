-- Runs that ended long ago (:old of them, at :then), each with 3 states, a task run with its
-- states, and 2 log lines; every tenth never ran. Then some that are to stay.

CREATE TEMP TABLE run (n INTEGER PRIMARY KEY, id BLOB NOT NULL, at INTEGER NOT NULL);
INSERT INTO run
WITH RECURSIVE step (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM step WHERE n < :old)
SELECT n, unhex(printf('%012x7001%016x', :then / 1000, 0x8000000000000000 | n)), :then + n FROM step;

INSERT INTO flows (id, created, updated, name) VALUES (x'00000000000000000000000000000001', :then, :then, 'seeded');
INSERT INTO flow_runs (id, created, updated, name, flow_id, start_time, end_time, state_type, state_name)
SELECT id, at, at, 'old', x'00000000000000000000000000000001', iif(n % 10 = 0, NULL, at), iif(n % 10 = 0, NULL, at),
       iif(n % 10 = 0, 'CANCELLED', 'COMPLETED'), 'X' FROM run;
INSERT INTO flow_run_states (id, run_id, type, name, timestamp)
SELECT randomblob(16), id, 'RUNNING', 'X', at + k FROM run JOIN (SELECT 1 AS k UNION SELECT 2 UNION SELECT 3);
INSERT INTO task_runs (id, created, updated, name, flow_run_id, task_key, dynamic_key)
SELECT unhex(printf('%012x7002%016x', :then / 1000, 0x8000000000000000 | n)), at, at, 'task', id, 't', '0' FROM run;
INSERT INTO task_run_states (id, run_id, type, name, timestamp)
SELECT randomblob(16), id, 'RUNNING', 'X', created + k FROM task_runs JOIN (SELECT 1 AS k UNION SELECT 2);
INSERT INTO logs (id, created, name, level, message, timestamp, flow_run_id)
SELECT unhex(printf('%012x7003%016x', :then / 1000, 0x8000000000000000 | (n * 2 + k))), at, 'l', 20, 'a line of some length', at, id
FROM run JOIN (SELECT 0 AS k UNION SELECT 1);

-- Old and not ended; ended and not old; a sub-flow of each; an old sub-flow of an old run.
INSERT INTO flow_runs (id, created, updated, name, flow_id, parent_task_run_id, start_time, end_time, state_type, state_name)
VALUES (x'000000000000000000000000000000A1', :then, :then, 'stays-running', x'00000000000000000000000000000001', NULL, :then, NULL, 'RUNNING', 'Running'),
       (x'000000000000000000000000000000A2', :then, :then, 'stays-young', x'00000000000000000000000000000001', NULL, :then, :now, 'FAILED', 'Failed');
INSERT INTO task_runs (id, created, updated, name, flow_run_id, task_key, dynamic_key)
VALUES (x'000000000000000000000000000000B1', :then, :then, 't', x'000000000000000000000000000000A1', 't', '0'), (x'000000000000000000000000000000B2', :then, :then, 't', x'000000000000000000000000000000A2', 't', '0');
INSERT INTO flow_runs (id, created, updated, name, flow_id, parent_task_run_id, start_time, end_time, state_type, state_name)
VALUES (x'000000000000000000000000000000A3', :then, :then, 'stays-inner', x'00000000000000000000000000000001', x'000000000000000000000000000000B1', :then, :then, 'COMPLETED', 'Completed'),
       (x'000000000000000000000000000000A4', :then, :then, 'stays-inner', x'00000000000000000000000000000001', x'000000000000000000000000000000B2', :then, :then, 'COMPLETED', 'Completed'),
       (x'000000000000000000000000000000A5', :then, :then, 'inner-of-old', x'00000000000000000000000000000001', (SELECT id FROM task_runs WHERE flow_run_id = (SELECT id FROM run WHERE n = 7)),
        :then, :then, 'COMPLETED', 'Completed'),
       (x'000000000000000000000000000000A6', :then, :then, 'stays-orphan', x'00000000000000000000000000000001', (SELECT id FROM task_runs WHERE flow_run_id = (SELECT id FROM run WHERE n = 8)),
        :then, NULL, 'RUNNING', 'Running');
INSERT INTO logs (id, created, name, level, message, timestamp, flow_run_id)
VALUES (unhex(printf('%012x70030000000000000000', :then / 1000)), :then, 'l', 20, 'stays with its run', :then, x'000000000000000000000000000000A1');
-- Cache entries: expired, without a state, and one that counts.
INSERT INTO task_run_states (id, run_id, type, name, timestamp)
VALUES (x'000000000000000000000000000000C3', x'000000000000000000000000000000B1', 'COMPLETED', 'Completed', :then);
INSERT INTO task_run_state_cache (cache_key, expiration, state_id)
VALUES ('expired', :then, x'000000000000000000000000000000C1'), ('gone', NULL, x'000000000000000000000000000000C2'), ('kept', NULL, x'000000000000000000000000000000C3');

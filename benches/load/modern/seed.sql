-- What a modern run has beyond seed.sql, with which this is one script: 3 more task runs, so that
-- there are 5, and the 15 events that told of them. A state that an event told has its id. Half of
-- the runs came through a work pool, that of their deployments.

INSERT INTO work_pools (id, created, updated, name, type, default_queue_id)
VALUES (unhex(printf('%032x', 1000)), :now, :now, 'seeded', 'kubernetes', unhex(printf('%032x', 1001)));

INSERT INTO work_queues (id, created, updated, work_pool_id, name, priority)
VALUES (unhex(printf('%032x', 1001)), :now, :now, unhex(printf('%032x', 1000)), 'default', 1);

UPDATE deployments SET work_queue_id = unhex(printf('%032x', 1001)), entrypoint = 'flows.py:seeded', path = '/opt/flows'
WHERE name = 'seeded';

UPDATE flow_runs SET work_queue_id = unhex(printf('%032x', 1001)) WHERE deployment_id IS NOT NULL;

-- Ids as texts without hyphens: those of the first two task runs are seed.sql's.
CREATE TEMP VIEW told_task AS
SELECT n, at, run.id AS run_id, t,
       iif(t < 2, printf('%012x7003%016x', at / 1000, 0x8000000000000000 | n * 2 + t),
                  printf('%012x7006%016x', at / 1000, 0x8000000000000000 | n * 4 + t)) AS hex,
       iif(t < 2, printf('%012x7004', at / 1000), printf('%012x7007', at / 1000)) AS state_head,
       iif(t < 2, (n * 2 + t) * 4, (n * 4 + t) * 4) AS state_number
FROM run CROSS JOIN (SELECT 0 AS t UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4);

INSERT INTO task_runs (id, created, updated, name, flow_run_id, task_key, dynamic_key, run_count, flow_run_run_count,
                       expected_start_time, start_time, end_time, total_run_time, state_id, state_type, state_name,
                       empirical_policy)
SELECT unhex(hex), at, at, printf('extract-f3a5c1d2-%d', t), run_id, 'f3a5c1d28e0b4a7790c2d1e4b5a69788', t, 1, 1,
       at, at, at + 2000, 2000, unhex(state_head || printf('%016x', 0x8000000000000000 | state_number + 2)),
       'COMPLETED', 'Completed', '{"max_retries":0,"retry_delay_seconds":0.0,"retries":0,"retry_delay":0}'
FROM told_task WHERE t >= 2;

INSERT INTO task_run_states (id, run_id, type, name, timestamp, message, state_details)
SELECT unhex(state_head || printf('%016x', 0x8000000000000000 | state_number + k)), unhex(hex), state, word,
       at + k * 1000, '', '{}'
FROM told_task CROSS JOIN place ON kind = 'task' WHERE t >= 2;

-- The same with all that an event says. Of a state, its place k is how often the task has run at most.
CREATE TEMP VIEW told AS
SELECT n, t, k, state, word, at + k * 1000 AS occurred,
       unhex(state_head || printf('%016x', 0x8000000000000000 | state_number + k)) AS id,
       iif(k > 0, unhex(state_head || printf('%016x', 0x8000000000000000 | state_number + k - 1)), NULL) AS follows,
       substr(hex, 1, 8) || '-' || substr(hex, 9, 4) || '-' || substr(hex, 13, 4) || '-' || substr(hex, 17, 4)
           || '-' || substr(hex, 21) AS task_id,
       printf('%08x-%04x-7001-8000-%012x', at / 1000 >> 16, at / 1000 & 65535, n) AS flow_run_id,
       printf('seeded-%x', n * 2654435761 % 4294967296) AS flow_run_name,
       printf('00000000-0000-0000-0000-%012x', n % 20 + 1) AS flow_id,
       strftime('%Y-%m-%dT%H:%M:%S', at / 1000000, 'unixepoch') || printf('.%06d', at % 1000000) AS began,
       strftime('%Y-%m-%dT%H:%M:%S', (at + k * 1000) / 1000000, 'unixepoch')
           || printf('.%06d', (at + k * 1000) % 1000000) AS happened
FROM told_task CROSS JOIN place ON kind = 'task';

INSERT INTO events (id, occurred, received, name, resource_id, resource, related, payload, follows)
SELECT id, occurred, occurred + 500, 'prefect.task-run.' || word, 'prefect.task-run.' || task_id,
       printf('{"prefect.resource.id":"prefect.task-run.%s","prefect.resource.name":"extract-f3a5c1d2-%d","prefect.run-count":"%d","prefect.state-message":"","prefect.state-name":"%s","prefect.state-timestamp":"%s+00:00","prefect.state-type":"%s","prefect.orchestration":"client"}',
              task_id, t, min(k, 1), word, happened, state),
       printf('[{"prefect.resource.id":"prefect.flow-run.%s","prefect.resource.role":"flow-run","prefect.resource.name":"%s"},{"prefect.resource.id":"prefect.flow.%s","prefect.resource.role":"flow","prefect.resource.name":"seeded-%d"}]',
              flow_run_id, flow_run_name, flow_id, n % 20),
       printf('{"intended":{"from":%s,"to":"%s"},"initial_state":%s,"validated_state":{"type":"%s","name":"%s","message":"","state_details":{},"data":null},"task_run":{"name":"extract-f3a5c1d2-%d","task_key":"f3a5c1d28e0b4a7790c2d1e4b5a69788","dynamic_key":"%d","empirical_policy":{"max_retries":0,"retry_delay_seconds":0.0,"retries":0,"retry_delay":0},"tags":[],"labels":{},"task_inputs":{},"run_count":%d,"flow_run_run_count":%d,"expected_start_time":"%sZ"%s,"total_run_time":0.0}}',
              iif(k = 0, 'null', iif(k = 1, '"PENDING"', '"RUNNING"')), state,
              iif(k = 0, 'null', iif(k = 1, '{"type":"PENDING","name":"Pending","message":"","state_details":{}}',
                                            '{"type":"RUNNING","name":"Running","message":"","state_details":{}}')),
              state, word, t, t, min(k, 1), min(k, 1), began,
              iif(k > 0, printf(',"start_time":"%sZ"', began), '') || iif(k > 1, printf(',"end_time":"%sZ"', happened), '')),
       follows
FROM told;

INSERT OR IGNORE INTO event_related (resource_id, place)
SELECT related.value ->> '$."prefect.resource.id"', place FROM events, json_each(events.related) AS related;

-- Runs, states and deployments go with their flows.
DELETE FROM flows;
DELETE FROM logs;
DELETE FROM task_run_state_cache;
DELETE FROM saved_searches;

-- Flows and deployments as the modern generation knows them.
ALTER TABLE flows ADD COLUMN labels TEXT NOT NULL DEFAULT '{}';

ALTER TABLE deployments ADD COLUMN version TEXT;
ALTER TABLE deployments ADD COLUMN description TEXT;
ALTER TABLE deployments ADD COLUMN path TEXT;                        -- where the flow's code is
ALTER TABLE deployments ADD COLUMN entrypoint TEXT;                  -- the file and the function in it
ALTER TABLE deployments ADD COLUMN pull_steps TEXT;
ALTER TABLE deployments ADD COLUMN parameter_openapi_schema TEXT;
ALTER TABLE deployments ADD COLUMN enforce_parameter_schema INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deployments ADD COLUMN labels TEXT NOT NULL DEFAULT '{}';
ALTER TABLE deployments ADD COLUMN job_variables TEXT NOT NULL DEFAULT '{}';
ALTER TABLE deployments ADD COLUMN work_queue_id BLOB;               -- whose workers take its runs
ALTER TABLE deployments ADD COLUMN concurrency_limit INTEGER;
ALTER TABLE deployments ADD COLUMN concurrency_options TEXT;
ALTER TABLE deployments ADD COLUMN storage_document_id BLOB;
ALTER TABLE deployments ADD COLUMN infrastructure_document_id BLOB;
ALTER TABLE deployments ADD COLUMN created_by TEXT;
ALTER TABLE deployments ADD COLUMN updated_by TEXT;
ALTER TABLE deployments ADD COLUMN last_polled INTEGER;
ALTER TABLE deployments ADD COLUMN status TEXT NOT NULL DEFAULT 'NOT_READY'; -- as it was last told

ALTER TABLE schedules ADD COLUMN max_scheduled_runs INTEGER;

-- Runs in the order of the time at which they began, or are to.
CREATE INDEX flow_runs_by_start ON flow_runs (coalesce(start_time, expected_start_time));

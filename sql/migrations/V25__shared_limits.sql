-- A limit by name that a deployment shares with others, in the place of one of its own.
ALTER TABLE deployments ADD COLUMN shared_limit_id BLOB REFERENCES concurrency_limits (id) ON DELETE SET NULL;

CREATE INDEX deployments_by_shared_limit ON deployments (shared_limit_id) WHERE shared_limit_id IS NOT NULL;

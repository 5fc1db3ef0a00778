-- Which stream of its process a line of output came from.
ALTER TABLE logs ADD COLUMN stream TEXT; -- 'stdout' or 'stderr'; absent for what was logged, and where it is not known

-- Whether the run's process may have printed what is not stored yet.
ALTER TABLE flow_runs ADD COLUMN output_open INTEGER NOT NULL DEFAULT 0;

CREATE INDEX flow_runs_with_open_output ON flow_runs (claimed_by) WHERE output_open = 1;

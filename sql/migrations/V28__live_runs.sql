-- With when runs were expected to start, those of a time that have not ended are found without the
-- rows of all the others.
DROP INDEX flow_runs_by_state;
CREATE INDEX flow_runs_by_state ON flow_runs (state_type, next_scheduled_start_time, expected_start_time);
DROP INDEX task_runs_by_state;
CREATE INDEX task_runs_by_state ON task_runs (state_type, expected_start_time);

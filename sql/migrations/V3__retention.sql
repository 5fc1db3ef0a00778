-- Runs that ended without ever having run have no end_time; retention finds them by this. It
-- is small: most runs run.
CREATE INDEX flow_runs_never_ran ON flow_runs (updated)
    WHERE end_time IS NULL AND state_type IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED');

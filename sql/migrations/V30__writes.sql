-- Whether a row belongs into a partial index is asked at each write of the row, and for a list of words
-- SQLite makes a table each time. The same words as alternatives are only compared.
DROP INDEX flow_runs_claimed;
CREATE INDEX flow_runs_claimed ON flow_runs (claimed_by)
    WHERE claimed_by IS NOT NULL
      AND (state_type = 'SCHEDULED' OR state_type = 'PENDING' OR state_type = 'RUNNING' OR state_type = 'PAUSED' OR state_type = 'CANCELLING');

DROP INDEX flow_runs_never_ran;
CREATE INDEX flow_runs_never_ran ON flow_runs (updated)
    WHERE end_time IS NULL
      AND (state_type = 'COMPLETED' OR state_type = 'FAILED' OR state_type = 'CANCELLED' OR state_type = 'CRASHED');

-- Events that come together are counted together, by what stores them. Those that go are still counted by
-- the trigger of V26.
DROP TRIGGER events_are_counted;

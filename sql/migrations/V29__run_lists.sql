-- Runs that ended badly, within each state in the order in which runs are listed: mostly they are few,
-- and lie far from the newest. Runs that complete leave this index alone.
CREATE INDEX flow_runs_ended_badly ON flow_runs (state_type, coalesce(start_time, expected_start_time))
    WHERE state_type = 'FAILED' OR state_type = 'CRASHED' OR state_type = 'CANCELLED';

-- The next run of a flow, found without those of all other flows.
CREATE INDEX flow_runs_next_of_flow ON flow_runs (flow_id, next_scheduled_start_time) WHERE state_type = 'SCHEDULED';

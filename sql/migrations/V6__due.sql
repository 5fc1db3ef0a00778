-- What is looked for every few moments: steps over no run that is not wanted.
CREATE INDEX flow_runs_due      ON flow_runs (next_scheduled_start_time)
    WHERE state_type = 'SCHEDULED' AND deployment_id IS NOT NULL;
CREATE INDEX flow_runs_not_late ON flow_runs (next_scheduled_start_time)
    WHERE state_type = 'SCHEDULED' AND state_name = 'Scheduled';

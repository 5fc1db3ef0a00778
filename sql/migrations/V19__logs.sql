-- What a task says that runs outside of any flow is of no flow run.
ALTER TABLE logs ALTER COLUMN flow_run_id DROP NOT NULL;

-- How many messages of an action have arrived, so that none is sent twice.
ALTER TABLE automation_work ADD COLUMN sent INTEGER NOT NULL DEFAULT 0;

SELECT count(*) FROM automations

SELECT state_type, count(*) FROM flow_runs WHERE state_type IS NOT NULL GROUP BY state_type

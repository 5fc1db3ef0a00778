-- The parameters come in the order of more.sql: both are given the same.
INSERT INTO event_counts (count, step, start, name)
VALUES (:count, :step, :start, :name)

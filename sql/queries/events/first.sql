INSERT INTO event_counts (count, step, start, name)
VALUES (:count, :step, :start, :name)

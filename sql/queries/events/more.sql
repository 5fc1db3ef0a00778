UPDATE event_counts SET count = count + :count
WHERE step = :step AND start = :start AND name = :name

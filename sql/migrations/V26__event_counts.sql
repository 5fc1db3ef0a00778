-- Names beside times: what is counted by both is found without the events themselves.
DROP INDEX events_by_time;
CREATE INDEX events_by_time ON events (occurred, name);

-- How many events of each name happened in each minute and each hour, so that days of them are
-- counted at once. Triggers keep it, so that no way of storing or removing events passes it by.
CREATE TABLE event_counts (
    step  INTEGER NOT NULL, -- a minute or an hour, in microseconds
    start INTEGER NOT NULL, -- where it begins
    name  TEXT    NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (step, start, name)
) STRICT, WITHOUT ROWID;

-- The remainder of a time before 1970 is negative.
INSERT INTO event_counts
SELECT 60000000, occurred - (occurred % 60000000 + 60000000) % 60000000 AS minute, name, count(*)
FROM events GROUP BY minute, name;

INSERT INTO event_counts
SELECT 3600000000, start - (start % 3600000000 + 3600000000) % 3600000000 AS hour, name, sum(count)
FROM event_counts GROUP BY hour, name;

CREATE TRIGGER events_are_counted AFTER INSERT ON events BEGIN
    INSERT INTO event_counts
    VALUES (60000000, new.occurred - (new.occurred % 60000000 + 60000000) % 60000000, new.name, 1),
           (3600000000, new.occurred - (new.occurred % 3600000000 + 3600000000) % 3600000000, new.name, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;

CREATE TRIGGER events_are_counted_no_more AFTER DELETE ON events BEGIN
    UPDATE event_counts SET count = count - 1
    WHERE step = 60000000 AND start = old.occurred - (old.occurred % 60000000 + 60000000) % 60000000 AND name = old.name;
    DELETE FROM event_counts
    WHERE step = 60000000 AND start = old.occurred - (old.occurred % 60000000 + 60000000) % 60000000 AND name = old.name AND count = 0;
    UPDATE event_counts SET count = count - 1
    WHERE step = 3600000000 AND start = old.occurred - (old.occurred % 3600000000 + 3600000000) % 3600000000 AND name = old.name;
    DELETE FROM event_counts
    WHERE step = 3600000000 AND start = old.occurred - (old.occurred % 3600000000 + 3600000000) % 3600000000 AND name = old.name AND count = 0;
END;

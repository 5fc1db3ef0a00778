-- Requests that were carried out and may come again, because their answers were lost.
CREATE TABLE requests (
    id      INTEGER NOT NULL PRIMARY KEY, -- in the order of time
    key     BLOB    NOT NULL UNIQUE,      -- the request's Idempotency-Key and what it was of
    created INTEGER NOT NULL,
    subject BLOB                          -- what it made; absent where its answer names nothing
) STRICT;

-- Limits on what goes on at once, by name.
CREATE TABLE concurrency_limits (
    id                         BLOB    NOT NULL PRIMARY KEY,
    created                    INTEGER NOT NULL,
    updated                    INTEGER NOT NULL,
    name                       TEXT    NOT NULL UNIQUE,
    slots                      INTEGER NOT NULL,
    active                     INTEGER NOT NULL DEFAULT 1,
    slot_decay_per_second      REAL    NOT NULL DEFAULT 0,
    -- What was taken without a lease, and refused, as of a moment from which it decays.
    taken                      INTEGER NOT NULL DEFAULT 0,
    denied                     INTEGER NOT NULL DEFAULT 0,
    counted_at                 INTEGER NOT NULL,
    avg_slot_occupancy_seconds REAL    NOT NULL DEFAULT 2
) STRICT, WITHOUT ROWID;

-- Holds on slots. A slot is taken as long as there is a lease on it that is not over; nothing
-- counts them beside these rows.
CREATE TABLE leases (
    id          BLOB    NOT NULL PRIMARY KEY,
    created     INTEGER NOT NULL,
    expires     INTEGER,                                   -- absent: only when it is given back
    slots       INTEGER NOT NULL,
    holder_type TEXT,
    holder_id   BLOB
) STRICT, WITHOUT ROWID;

CREATE INDEX leases_by_end    ON leases (expires) WHERE expires IS NOT NULL;
CREATE INDEX leases_by_holder ON leases (holder_id) WHERE holder_id IS NOT NULL;

-- What a lease is on: a limit, or a deployment, whose limit is its own.
CREATE TABLE lease_limits (
    limit_id BLOB NOT NULL,
    lease_id BLOB NOT NULL REFERENCES leases (id) ON DELETE CASCADE,
    PRIMARY KEY (limit_id, lease_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX lease_limits_by_lease ON lease_limits (lease_id);

-- The runs that wait for a slot of their deployment.
CREATE INDEX flow_runs_awaiting_slot ON flow_runs (deployment_id, expected_start_time)
    WHERE state_type = 'SCHEDULED' AND state_name = 'AwaitingConcurrencySlot';

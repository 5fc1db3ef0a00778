-- By which runs are known that speak to the API; of a key there is only its hash.
CREATE TABLE run_keys (
    digest      BLOB    NOT NULL PRIMARY KEY,
    flow_run_id BLOB    NOT NULL REFERENCES flow_runs (id) ON DELETE CASCADE,
    claimed_at  INTEGER NOT NULL,              -- it belongs to the claim of that moment
    revoked_at  INTEGER                        -- absent: it is in force
) STRICT, WITHOUT ROWID;

CREATE INDEX run_keys_by_run ON run_keys (flow_run_id);

//! The keys of runs, as hashes.

use rusqlite::{Connection, named_params};

use super::query;
use super::sql::{Statement, statement};
use crate::domain::access::{KeptRunKey, RunKeyDigest};
use crate::domain::error::Result;
use crate::domain::ids::FlowRunId;
use crate::domain::time::Timestamp;

const ADD: &str = include_str!("../../sql/queries/run_keys/add.sql");
const REVOKE: &str = include_str!("../../sql/queries/run_keys/revoke.sql");
static FIND: Statement = statement!("run_keys/find.sql");

/// Adds a key of a run that was taken at `claimed_at`.
pub fn add(
    db: &Connection,
    digest: &RunKeyDigest,
    run: FlowRunId,
    claimed_at: Timestamp,
) -> Result<()> {
    let params = named_params! {
        ":digest": digest.0, ":flow_run_id": run, ":claimed_at": claimed_at,
    };
    query::change(db, ADD, params)?;
    Ok(())
}

/// Takes back every key of a run.
pub fn revoke(db: &Connection, run: FlowRunId, now: Timestamp) -> Result<()> {
    query::change(db, REVOKE, named_params! {":flow_run_id": run, ":now": now})?;
    Ok(())
}

/// The key with that hash.
pub fn find(db: &Connection, digest: &RunKeyDigest) -> Result<Option<KeptRunKey>> {
    query::one(db, &FIND, named_params! {":digest": digest.0}, |row| {
        Ok(KeptRunKey {
            flow_run: row.get(0)?,
            claimed_at: row.get(1)?,
            is_revoked: row.get(2)?,
        })
    })
}

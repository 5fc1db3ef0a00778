//! Which agent holds which run.

use rusqlite::{Connection, named_params};

use super::{flow_runs, query};
use crate::domain::error::Result;
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::domain::time::Timestamp;

const DUE: &str = include_str!("../../sql/queries/claims/due.sql");
const NEXT_DUE: &str = include_str!("../../sql/queries/claims/next_due.sql");
const TAKE: &str = include_str!("../../sql/queries/claims/take.sql");
const RELEASE: &str = include_str!("../../sql/queries/claims/release.sql");
const RECORD: &str = include_str!("../../sql/queries/claims/record_infrastructure.sql");
const COUNT: &str = include_str!("../../sql/queries/claims/count.sql");
const IN_HAND: &str = include_str!("../../sql/queries/claims/in_hand.sql");

/// Scheduled runs of deployments that are due at `now`, longest due first; those in
/// containers only when asked for.
pub fn due(
    db: &Connection,
    now: Timestamp,
    containers: bool,
    limit: u64,
) -> Result<Vec<FlowRunId>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let params = named_params! {":now": now, ":containers": containers, ":limit": limit};
    query::all(db, DUE, params, |row| row.get(0))
}

/// When the next run of a deployment is due, past times included.
pub fn next_due(db: &Connection) -> Result<Option<Timestamp>> {
    query::one(db, NEXT_DUE, [], |row| row.get(0))
}

/// Marks a run as taken by an agent that has made nothing for it yet.
pub fn take(db: &Connection, id: FlowRunId, agent: &str, now: Timestamp) -> Result<()> {
    query::change(
        db,
        TAKE,
        named_params! {":id": id, ":agent": agent, ":now": now},
    )?;
    Ok(())
}

/// Takes the mark away.
pub fn release(db: &Connection, id: FlowRunId) -> Result<()> {
    query::change(db, RELEASE, named_params! {":id": id})?;
    Ok(())
}

/// Notes what the agent made for the run.
pub fn record_infrastructure(
    db: &Connection,
    id: FlowRunId,
    infrastructure_id: &str,
    now: Timestamp,
) -> Result<()> {
    let params = named_params! {":id": id, ":infrastructure_id": infrastructure_id, ":now": now};
    query::change(db, RECORD, params)?;
    Ok(())
}

/// How many runs an agent holds that have not ended.
pub fn count(db: &Connection, agent: &str) -> Result<u64> {
    let held: Option<i64> =
        query::one(db, COUNT, named_params! {":agent": agent}, |row| row.get(0))?;
    Ok(held.unwrap_or_default().unsigned_abs())
}

/// The runs that an agent holds and that have not ended, oldest first.
pub fn in_hand(db: &Connection, agent: &str) -> Result<Vec<FlowRun>> {
    query::all(
        db,
        IN_HAND,
        named_params! {":agent": agent},
        flow_runs::read,
    )
}

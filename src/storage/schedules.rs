//! What schedules have made, and what they have yet to make.

use rusqlite::{Connection, named_params};

use super::query;
use crate::domain::error::Result;
use crate::domain::ids::{DeploymentId, FlowRunId};
use crate::domain::time::Timestamp;

const ACTIVE: &str = include_str!("../../sql/queries/schedules/active.sql");
const FORGET: &str = include_str!("../../sql/queries/schedules/forget.sql");
const LATE: &str = include_str!("../../sql/queries/schedules/late.sql");

/// Deployments whose schedule is followed, by id, from after one on, each with when it last
/// changed.
pub fn active(
    db: &Connection,
    after: Option<DeploymentId>,
    limit: u64,
) -> Result<Vec<(DeploymentId, Timestamp)>> {
    let after = after.unwrap_or(DeploymentId::from_uuid(uuid::Uuid::nil()));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let params = named_params! {":after": after, ":limit": limit};
    query::all(db, ACTIVE, params, |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Removes up to `limit` runs that a schedule has made and that have never begun; answers how
/// many.
pub fn forget(db: &Connection, id: DeploymentId, limit: u64) -> Result<u64> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let params = named_params! {":deployment_id": id, ":limit": limit};
    Ok(query::change(db, FORGET, params)? as u64)
}

/// Scheduled runs that were due before an instant and are not marked late yet.
pub fn late(db: &Connection, before: Timestamp, limit: u64) -> Result<Vec<(FlowRunId, Timestamp)>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let params = named_params! {":before": before, ":limit": limit};
    query::all(db, LATE, params, |row| Ok((row.get(0)?, row.get(1)?)))
}

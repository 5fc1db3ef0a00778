//! What schedules have made, and what they have yet to make.

use rusqlite::{Connection, named_params};

use super::query::{self, Columns};
use crate::domain::error::Result;
use crate::domain::ids::{DeploymentId, FlowRunId};
use crate::domain::time::Timestamp;

const ACTIVE: &str = include_str!("../../sql/queries/schedules/active.sql");
const TO_COME: &str = include_str!("../../sql/queries/schedules/to_come.sql");
const FORGET: &str = include_str!("../../sql/queries/schedules/forget.sql");
const LATE: &str = include_str!("../../sql/queries/schedules/late.sql");

/// The runs of a deployment that a schedule has made and that have not begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ToCome {
    /// How many.
    pub count: u64,
    /// When the last of them is due.
    pub last: Option<Timestamp>,
}

/// Deployments whose schedule is followed, by id, from after one on.
pub fn active(
    db: &Connection,
    after: Option<DeploymentId>,
    limit: u64,
) -> Result<Vec<DeploymentId>> {
    let after = after.unwrap_or(DeploymentId::from_uuid(uuid::Uuid::nil()));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let params = named_params! {":after": after, ":limit": limit};
    query::all(db, ACTIVE, params, |row| row.get(0))
}

/// What is to come of a deployment from `now` on.
pub fn to_come(db: &Connection, id: DeploymentId, now: Timestamp) -> Result<ToCome> {
    let params = named_params! {":deployment_id": id, ":now": now};
    let found = query::one(db, TO_COME, params, |row| {
        let mut columns = Columns::of(row);
        let count: i64 = columns.next()?;
        Ok(ToCome {
            count: count.unsigned_abs(),
            last: columns.next()?,
        })
    })?;
    Ok(found.unwrap_or_default())
}

/// Removes the runs that a schedule has made and that are still Scheduled.
pub fn forget(db: &Connection, id: DeploymentId) -> Result<()> {
    query::change(db, FORGET, named_params! {":deployment_id": id})?;
    Ok(())
}

/// Scheduled runs that were due before an instant and are not marked late yet.
pub fn late(db: &Connection, before: Timestamp, limit: u64) -> Result<Vec<(FlowRunId, Timestamp)>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let params = named_params! {":before": before, ":limit": limit};
    query::all(db, LATE, params, |row| Ok((row.get(0)?, row.get(1)?)))
}

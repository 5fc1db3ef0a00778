//! The schedules of deployments, what they have made, and what they have yet to make.

use rusqlite::{Connection, named_params};
use serde::Deserialize;
use uuid::Uuid;

use super::column::Json;
use super::query;
use super::schedule::Stored;
use crate::domain::JsonMap;
use crate::domain::deployment::DeploymentSchedule;
use crate::domain::error::Result;
use crate::domain::ids::{DeploymentId, FlowRunId, ScheduleId};
use crate::domain::runner::RunnerKind;
use crate::domain::time::Timestamp;

const INSERT: &str = include_str!("../../sql/queries/schedules/insert.sql");
const DELETE_ALL: &str = include_str!("../../sql/queries/schedules/delete_all.sql");
const ACTIVE: &str = include_str!("../../sql/queries/schedules/active.sql");
const FORGET: &str = include_str!("../../sql/queries/schedules/forget.sql");
const LATE: &str = include_str!("../../sql/queries/schedules/late.sql");

/// A schedule as the SELECT list of deployments has it.
#[derive(Deserialize)]
pub(super) struct Listed {
    id: Uuid,
    created: i64,
    updated: i64,
    slug: Option<String>,
    schedule: Stored,
    active: u8,
    max_scheduled_runs: Option<i64>,
    parameters: JsonMap,
}

/// The schedules of a deployment, as they are listed: the first is the oldest.
pub(super) fn read(listed: Json<Vec<Listed>>) -> Vec<DeploymentSchedule> {
    let read = |listed: Listed| DeploymentSchedule {
        id: ScheduleId::from_uuid(listed.id),
        created: Timestamp::from_micros(listed.created),
        updated: Timestamp::from_micros(listed.updated),
        slug: listed.slug,
        rule: listed.schedule.into(),
        active: listed.active != 0,
        max_scheduled_runs: listed.max_scheduled_runs,
        parameters: listed.parameters,
    };
    listed.0.into_iter().map(read).collect()
}

/// Gives a deployment these schedules in the place of those that it had.
pub(super) fn replace(
    db: &Connection,
    deployment: DeploymentId,
    schedules: &[DeploymentSchedule],
) -> Result<()> {
    let params = named_params! {":deployment_id": deployment};
    query::change(db, DELETE_ALL, params)?;
    for schedule in schedules {
        let DeploymentSchedule {
            id,
            created,
            updated,
            slug,
            rule,
            active,
            max_scheduled_runs,
            parameters,
        } = schedule;
        let params = named_params! {
            ":id": id,
            ":created": created,
            ":updated": updated,
            ":deployment_id": deployment,
            ":slug": slug,
            ":schedule": Json(&Stored::from(rule)),
            ":active": active,
            ":max_scheduled_runs": max_scheduled_runs,
            ":parameters": Json(parameters),
        };
        query::change(db, INSERT, params)?;
    }
    Ok(())
}

/// A schedule that is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Active {
    /// Its id.
    pub id: ScheduleId,
    /// Whose it is.
    pub deployment: DeploymentId,
    /// When that last changed.
    pub updated: Timestamp,
}

/// Schedules that are followed, by id, from after one on.
pub fn active(db: &Connection, after: Option<ScheduleId>, limit: u64) -> Result<Vec<Active>> {
    let after = after.unwrap_or(ScheduleId::from_uuid(Uuid::nil()));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let params = named_params! {":after": after, ":limit": limit};
    query::all(db, ACTIVE, params, |row| {
        Ok(Active {
            id: row.get(0)?,
            deployment: row.get(1)?,
            updated: row.get(2)?,
        })
    })
}

/// Removes up to `limit` runs that schedules of a deployment have made and that have never begun,
/// but for those of a schedule that is followed which are due; answers how many.
pub fn forget(db: &Connection, id: DeploymentId, now: Timestamp, limit: u64) -> Result<u64> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let params = named_params! {":deployment_id": id, ":now": now, ":limit": limit};
    Ok(query::change(db, FORGET, params)? as u64)
}

/// Scheduled runs that were due before an instant and are not marked late yet.
pub fn late(
    db: &Connection,
    (before, before_modern): (Timestamp, Timestamp),
    limit: u64,
) -> Result<Vec<(FlowRunId, Timestamp)>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let params = named_params! {
        ":before": before,
        ":before_modern": before_modern,
        ":served": RunnerKind::Served.word(),
        ":limit": limit,
    };
    query::all(db, LATE, params, |row| Ok((row.get(0)?, row.get(1)?)))
}

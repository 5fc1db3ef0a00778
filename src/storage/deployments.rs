//! Deployments in the store.

use rusqlite::{Connection, Row, named_params};

use super::column::Json;
use super::filters::{self, deployments as question};
use super::query::{self, Columns};
use super::schedule::Stored;
use crate::domain::deployment::{Around, Brief, Deployment, Infrastructure, NewDeployment};
use crate::domain::error::Result;
use crate::domain::filter::{Filters, Page};
use crate::domain::ids::{DeploymentId, FlowId};
use crate::domain::state::StateType;
use crate::domain::time::Timestamp;

const INSERT: &str = include_str!("../../sql/queries/deployments/insert.sql");
const UPDATE: &str = include_str!("../../sql/queries/deployments/update.sql");
const EXISTS: &str = include_str!("../../sql/queries/deployments/exists.sql");
const BY_ID: &str = include_str!("../../sql/queries/deployments/by_id.sql");
const BY_KEY: &str = include_str!("../../sql/queries/deployments/by_key.sql");
const SET_SCHEDULE_ACTIVE: &str =
    include_str!("../../sql/queries/deployments/set_schedule_active.sql");
const DELETE: &str = include_str!("../../sql/queries/deployments/delete.sql");
const LATEST_RUNS: &str = include_str!("../../sql/queries/deployments/latest_runs.sql");

/// Stores a deployment that is not there yet. Its flow must be.
pub fn insert(db: &Connection, new: &NewDeployment, now: Timestamp) -> Result<DeploymentId> {
    let id = DeploymentId::new();
    let unset = Infrastructure::default();
    let infrastructure = new.infrastructure.as_ref().unwrap_or(&unset);
    let schedule = new.schedule.as_ref().map(Stored::from);
    let params = named_params! {
        ":id": id,
        ":now": now,
        ":name": new.name,
        ":flow_id": new.flow_id,
        ":flow_data": new.flow_data.as_ref().map(Json),
        ":schedule": schedule.as_ref().map(Json),
        ":is_schedule_active": new.is_schedule_active,
        ":parameters": Json(&new.parameters),
        ":tags": Json(&new.tags),
        ":infrastructure_kind": infrastructure.kind,
        ":infrastructure_config": infrastructure.config.as_ref().map(Json),
    };
    query::change(db, INSERT, params)?;
    Ok(id)
}

/// Lays what is new over what is there; an infrastructure that was not given stays.
pub fn update(
    db: &Connection,
    known: &Deployment,
    new: &NewDeployment,
    now: Timestamp,
) -> Result<()> {
    let infrastructure = new.infrastructure.as_ref().unwrap_or(&known.infrastructure);
    let schedule = new.schedule.as_ref().map(Stored::from);
    let params = named_params! {
        ":id": known.id,
        ":now": now,
        ":flow_data": new.flow_data.as_ref().map(Json),
        ":schedule": schedule.as_ref().map(Json),
        ":is_schedule_active": new.is_schedule_active,
        ":parameters": Json(&new.parameters),
        ":tags": Json(&new.tags),
        ":infrastructure_kind": infrastructure.kind,
        ":infrastructure_config": infrastructure.config.as_ref().map(Json),
    };
    query::change(db, UPDATE, params)?;
    Ok(())
}

/// Whether there is a deployment with that id.
pub fn exists(db: &Connection, id: DeploymentId) -> Result<bool> {
    query::any(db, EXISTS, named_params! {":id": id})
}

/// The deployment with that id.
pub fn by_id(db: &Connection, id: DeploymentId) -> Result<Option<Deployment>> {
    query::one(db, BY_ID, named_params! {":id": id}, read)
}

/// The flow's deployment of that name.
pub fn by_key(db: &Connection, flow_id: FlowId, name: &str) -> Result<Option<Deployment>> {
    let params = named_params! {":flow_id": flow_id, ":name": name};
    query::one(db, BY_KEY, params, read)
}

/// Follows the schedule or not; false when there is no such deployment.
pub fn set_schedule_active(
    db: &Connection,
    id: DeploymentId,
    active: bool,
    now: Timestamp,
) -> Result<bool> {
    let params = named_params! {":id": id, ":active": active, ":now": now};
    Ok(query::change(db, SET_SCHEDULE_ACTIVE, params)? > 0)
}

/// The images that deployments name, the last changed first; ten at most.
pub fn images(db: &Connection) -> Result<Vec<String>> {
    let sql = include_str!("../../sql/queries/deployments/images.sql");
    query::all(db, sql, [], |row| row.get(0))
}

/// The networks that deployments name, by name; ten at most.
pub fn networks(db: &Connection) -> Result<Vec<String>> {
    let sql = include_str!("../../sql/queries/deployments/networks.sql");
    query::all(db, sql, [], |row| row.get(0))
}

/// The runs around a deployment, among the newest few hundred of it.
pub fn around(db: &Connection, id: DeploymentId) -> Result<Around> {
    let runs = query::all(db, LATEST_RUNS, named_params! {":id": id}, brief)?;
    let (to_come, begun): (Vec<_>, Vec<_>) = runs
        .into_iter()
        .partition(|run| run.kind == Some(StateType::Scheduled));
    Ok(Around {
        deployment: id,
        next: to_come.into_iter().min_by_key(|run| run.at),
        last: begun.into_iter().max_by_key(|run| run.at),
    })
}

fn brief(row: &Row<'_>) -> rusqlite::Result<Brief> {
    let mut columns = Columns::of(row);
    let (id, name) = (columns.next()?, columns.next()?);
    let (kind, state_name) = (columns.next::<Option<_>>()?, columns.next()?);
    let [started, ended, expected, due] = [
        columns.next::<Option<Timestamp>>()?,
        columns.next()?,
        columns.next()?,
        columns.next()?,
    ];
    let at = match kind {
        Some(StateType::Scheduled) => due.or(expected),
        // One that was cancelled before it ran never started.
        _ => started.or(ended).or(expected),
    };
    Ok(Brief {
        id,
        name,
        kind,
        state_name,
        at,
    })
}

/// Removes a deployment; its runs stay. False when there is no such deployment.
pub fn delete(db: &Connection, id: DeploymentId) -> Result<bool> {
    Ok(query::change(db, DELETE, named_params! {":id": id})? > 0)
}

/// A page of deployments, by name.
pub fn page(db: &Connection, filters: &Filters, page: Page) -> Result<Vec<Deployment>> {
    filters::all(db, &question::select(filters, page), read)
}

/// How many deployments there are.
pub fn count(db: &Connection, filters: &Filters) -> Result<u64> {
    filters::count(db, &question::count(filters))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Deployment> {
    let mut columns = Columns::of(row);
    Ok(Deployment {
        id: columns.next()?,
        created: columns.next()?,
        updated: columns.next()?,
        name: columns.next()?,
        flow_id: columns.next()?,
        flow_data: columns.next::<Option<Json<_>>>()?.map(|json| json.0),
        schedule: columns
            .next::<Option<Json<Stored>>>()?
            .map(|json| json.0.into()),
        is_schedule_active: columns.next()?,
        parameters: columns.next::<Json<_>>()?.0,
        tags: columns.next::<Json<_>>()?.0,
        infrastructure: infrastructure(&mut columns)?,
    })
}

/// The two columns that say what runs run on.
pub(super) fn infrastructure(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Infrastructure> {
    Ok(Infrastructure {
        kind: columns.next()?,
        config: columns.next::<Option<Json<_>>>()?.map(|json| json.0),
    })
}

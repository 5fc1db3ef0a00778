//! Deployments in the store.

use rusqlite::{Connection, Row as SqlRow, named_params};

use super::column::Json;
use super::query::{self, Columns};
use super::rows::{Filtered, Row, key};
use super::schedules;
use super::sql::{self, Statement, statement};
use crate::domain::deployment::{Around, Brief, Deployment, Infrastructure, NewDeployment};
use crate::domain::error::Result;
use crate::domain::filter::Noun;
use crate::domain::ids::{DeploymentId, FlowId};
use crate::domain::runner::RunnerKind;
use crate::domain::state::StateType;
use crate::domain::time::Timestamp;

const INSERT: &str = include_str!("../../sql/queries/deployments/insert.sql");
const UPDATE: &str = include_str!("../../sql/queries/deployments/update.sql");
static BY_KEY: Statement = statement!("deployments/by_key.sql");
const SET_SCHEDULE_ACTIVE: &str =
    include_str!("../../sql/queries/deployments/set_schedule_active.sql");
const LATEST_RUNS: &str = include_str!("../../sql/queries/deployments/latest_runs.sql");

/// Stores a deployment that is not there yet. Its flow must be.
pub fn insert(db: &Connection, new: &NewDeployment, now: Timestamp) -> Result<DeploymentId> {
    let id = DeploymentId::new();
    let unset = Infrastructure::default();
    let infrastructure = new.infrastructure.as_ref().unwrap_or(&unset);
    let params = named_params! {
        ":id": id,
        ":now": now,
        ":name": new.name,
        ":flow_id": new.flow_id,
        ":flow_data": new.flow_data.as_ref().map(Json),
        ":is_schedule_active": new.is_schedule_active,
        ":parameters": Json(&new.parameters),
        ":tags": Json(&new.tags),
        ":infrastructure_kind": infrastructure.kind.as_ref().map(RunnerKind::word),
        ":infrastructure_config": infrastructure.config.as_ref().map(Json),
    };
    query::change(db, INSERT, params)?;
    schedules::replace(db, id, &[], &new.schedules, now)?;
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
    let params = named_params! {
        ":id": known.id,
        ":now": now,
        ":flow_data": new.flow_data.as_ref().map(Json),
        ":is_schedule_active": new.is_schedule_active,
        ":parameters": Json(&new.parameters),
        ":tags": Json(&new.tags),
        ":infrastructure_kind": infrastructure.kind.as_ref().map(RunnerKind::word),
        ":infrastructure_config": infrastructure.config.as_ref().map(Json),
    };
    query::change(db, UPDATE, params)?;
    schedules::replace(db, known.id, &known.schedules, &new.schedules, now)
}

/// The flow's deployment of that name.
pub fn by_key(db: &Connection, flow_id: FlowId, name: &str) -> Result<Option<Deployment>> {
    let params = named_params! {":flow_id": flow_id, ":name": name};
    query::one(db, &BY_KEY, params, read)
}

/// Follows the schedules or not; false when there is no such deployment.
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

fn brief(row: &SqlRow<'_>) -> rusqlite::Result<Brief> {
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

key!(DeploymentId, Deployment);

impl Row for Deployment {
    const TABLE: &'static str = "deployments";

    fn columns() -> &'static str {
        &sql::DEPLOYMENT
    }

    fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        read(row)
    }
}

impl Filtered for Deployment {
    const NOUN: Noun = Noun::Deployment;
}

fn read(row: &SqlRow<'_>) -> rusqlite::Result<Deployment> {
    let mut columns = Columns::of(row);
    Ok(Deployment {
        id: columns.next()?,
        created: columns.next()?,
        updated: columns.next()?,
        name: columns.next()?,
        flow_id: columns.next()?,
        flow_data: columns.next::<Option<Json<_>>>()?.map(|json| json.0),
        schedules: schedules::read(columns.next()?),
        is_schedule_active: columns.next()?,
        parameters: columns.next::<Json<_>>()?.0,
        tags: columns.next::<Json<_>>()?.0,
        infrastructure: infrastructure(&mut columns)?,
    })
}

/// The two columns that say what runs run on.
pub(super) fn infrastructure(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Infrastructure> {
    Ok(Infrastructure {
        kind: columns.next::<Option<String>>()?.map(RunnerKind::from),
        config: columns.next::<Option<Json<_>>>()?.map(|json| json.0),
    })
}

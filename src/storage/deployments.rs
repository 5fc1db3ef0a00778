//! Deployments in the store.

use rusqlite::{Connection, Row as SqlRow, named_params};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::actors;
use super::column::Json;
use super::query::{self, Columns};
use super::rows::{self, Filtered, Row, key};
use super::schedules;
use super::sql::{self, Statement, statement};
use crate::domain::JsonMap;
use crate::domain::concurrency_limit::ConcurrencyLimit;
use crate::domain::deployment::{
    Around, Brief, CollisionStrategy, Concurrency, ConcurrencyOptions, Deployment, Infrastructure,
    Served,
};
use crate::domain::error::Result;
use crate::domain::filter::Noun;
use crate::domain::ids::{DeploymentId, FlowId, LimitId, WorkPoolId, WorkQueueId};
use crate::domain::runner::RunnerKind;
use crate::domain::state::StateType;
use crate::domain::time::Timestamp;
use crate::domain::work::PoolKind;

const INSERT: &str = include_str!("../../sql/queries/deployments/insert.sql");
const UPDATE: &str = include_str!("../../sql/queries/deployments/update.sql");
const SHARING: &str = include_str!("../../sql/queries/deployments/sharing.sql");
const POLL: &str = include_str!("../../sql/queries/deployments/poll.sql");
const TOLD: &str = include_str!("../../sql/queries/deployments/told.sql");
const UNASKED: &str = include_str!("../../sql/queries/deployments/unasked.sql");
const STATUS: &str = include_str!("../../sql/queries/deployments/status.sql");
const SET_TOLD: &str = include_str!("../../sql/queries/deployments/set_told.sql");
static BY_KEY: Statement = statement!("deployments/by_key.sql");
const SET_SCHEDULE_ACTIVE: &str =
    include_str!("../../sql/queries/deployments/set_schedule_active.sql");
const LATEST_RUNS: &str = include_str!("../../sql/queries/deployments/latest_runs.sql");

/// A pool, the job variables of deployments, and when the last of those changed.
pub type PoolJob = (WorkPoolId, JsonMap, Timestamp);

/// Stores a deployment that is not there yet, with its schedules. Its flow must be.
pub fn insert(db: &Connection, new: &Deployment) -> Result<()> {
    write(db, INSERT, new)
}

/// Stores what became of a deployment and its schedules.
pub fn update(db: &Connection, changed: &Deployment) -> Result<()> {
    write(db, UPDATE, changed)
}

fn write(db: &Connection, sql: &str, deployment: &Deployment) -> Result<()> {
    let Deployment {
        id,
        created: _,
        updated,
        name,
        flow_id,
        version,
        description,
        flow_data,
        path,
        entrypoint,
        pull_steps,
        schedules,
        is_schedule_active,
        parameters,
        parameter_schema,
        enforces_schema,
        tags,
        labels,
        infrastructure,
        job_variables,
        work_queue_id,
        work_queue_name: _,
        work_pool_name: _,
        concurrency,
        shared_limit: _,
        storage_document_id,
        infrastructure_document_id,
        created_by,
        updated_by,
        last_polled: _,
        served: _,
    } = deployment;
    let options = concurrency.options.map(Options::from);
    let params = named_params! {
        ":id": id,
        ":now": updated,
        ":name": name,
        ":flow_id": flow_id,
        ":version": version,
        ":description": description,
        ":flow_data": flow_data.as_ref().map(Json),
        ":path": path,
        ":entrypoint": entrypoint,
        ":pull_steps": pull_steps.as_ref().map(Json),
        ":is_schedule_active": is_schedule_active,
        ":parameters": Json(parameters),
        ":parameter_schema": parameter_schema.as_ref().map(Json),
        ":enforces_schema": enforces_schema,
        ":tags": Json(tags),
        ":labels": Json(labels),
        ":infrastructure_kind": infrastructure.kind.as_ref().map(RunnerKind::word),
        ":infrastructure_config": infrastructure.config.as_ref().map(Json),
        ":job_variables": Json(job_variables),
        ":work_queue_id": work_queue_id,
        ":concurrency_limit": concurrency.limit,
        ":shared_limit_id": concurrency.shared,
        ":concurrency_options": options.as_ref().map(Json),
        ":storage_document_id": storage_document_id.as_ref().map(Uuid::as_bytes),
        ":infrastructure_document_id": infrastructure_document_id.as_ref().map(Uuid::as_bytes),
        ":created_by": actors::Column(created_by.as_ref()),
        ":updated_by": actors::Column(updated_by.as_ref()),
    };
    query::change(db, sql, params)?;
    schedules::replace(db, *id, schedules)
}

/// Notes that somebody asked for a deployment's runs.
pub fn poll(db: &Connection, id: DeploymentId, now: Timestamp) -> Result<()> {
    query::change(db, POLL, named_params! {":id": id, ":now": now})?;
    Ok(())
}

/// Some of the deployments of a queue of which it was last told that they are ready, or that they
/// are not.
pub fn told(
    db: &Connection,
    queue: WorkQueueId,
    is_ready: bool,
    limit: i64,
) -> Result<Vec<DeploymentId>> {
    let params = named_params! {":queue": queue, ":status": word(is_ready), ":limit": limit};
    query::all(db, TOLD, params, |row| row.get(0))
}

/// Some of the deployments without a queue of which it was told that they are ready, and whose runs
/// nobody has asked for since a moment.
pub fn unasked(db: &Connection, since: Timestamp, limit: i64) -> Result<Vec<DeploymentId>> {
    let params = named_params! {":since": since, ":limit": limit};
    query::all(db, UNASKED, params, |row| row.get(0))
}

/// Whether it was last told of a deployment that it is ready.
pub fn is_told_ready(db: &Connection, id: DeploymentId) -> Result<bool> {
    let told: Option<String> = query::one(db, STATUS, named_params! {":id": id}, |row| row.get(0))?;
    Ok(told.as_deref() == Some(word(true)))
}

/// Notes what is told of a deployment.
pub fn set_told(db: &Connection, id: DeploymentId, is_ready: bool) -> Result<()> {
    query::change(
        db,
        SET_TOLD,
        named_params! {":id": id, ":status": word(is_ready)},
    )?;
    Ok(())
}

const fn word(is_ready: bool) -> &'static str {
    match is_ready {
        true => "READY",
        false => "NOT_READY",
    }
}

fn served(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Option<Served>> {
    let queue_polled = columns.next()?;
    let kind: Option<String> = columns.next()?;
    let online_until = columns.next()?;
    Ok(kind.map(|word| Served {
        queue_polled,
        pool_kind: PoolKind::from(word),
        online_until,
    }))
}

/// The flow's deployment of that name.
pub fn by_key(db: &Connection, flow_id: FlowId, name: &str) -> Result<Option<Deployment>> {
    let params = named_params! {":flow_id": flow_id, ":name": name};
    let mut found: Vec<Deployment> = query::one(db, &BY_KEY, params, read)?.into_iter().collect();
    Deployment::complete(db, &mut found)?;
    Ok(found.pop())
}

/// How many deployments but that one share a limit.
pub fn sharing(db: &Connection, limit: LimitId, but: DeploymentId) -> Result<i64> {
    let params = named_params! {":limit_id": limit, ":but": but};
    let found = query::one(db, SHARING, params, |row| row.get(0))?;
    Ok(found.unwrap_or_default())
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

/// The images that deployments name as what they run on, each with when the last of its
/// deployments changed.
pub fn images(db: &Connection, most: usize) -> Result<Vec<(String, Timestamp)>> {
    let sql = include_str!("../../sql/queries/deployments/images.sql");
    let most = named_params! {":most": most as i64};
    query::all(db, sql, most, |row| Ok((row.get(0)?, row.get(1)?)))
}

/// What the deployments of pools of a kind say of their jobs: the pool, the job variables, and
/// when the last deployment that says the same changed; up to `most`, the last changed first.
pub fn pool_jobs(db: &Connection, kind: &PoolKind, most: usize) -> Result<Vec<PoolJob>> {
    let sql = include_str!("../../sql/queries/deployments/pool_jobs.sql");
    let asked = named_params! {":type": kind.word(), ":most": most as i64};
    query::all(db, sql, asked, |row| {
        let mut columns = Columns::of(row);
        Ok((columns.next()?, columns.json()?, columns.next()?))
    })
}

/// The networks that deployments name, by name.
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

    /// Most deployments share no limit, and those of a page mostly the same.
    fn complete(db: &Connection, deployments: &mut [Self]) -> Result<()> {
        let mut known: Option<ConcurrencyLimit> = None;
        for deployment in deployments {
            let Some(id) = deployment.concurrency.shared else {
                continue;
            };
            if known.as_ref().is_none_or(|limit| limit.id != id) {
                known = rows::by_id(db, id)?;
            }
            deployment.shared_limit.clone_from(&known);
        }
        Ok(())
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
        version: columns.next()?,
        description: columns.text()?,
        flow_data: columns.next::<Option<Json<_>>>()?.map(|json| json.0),
        path: columns.next()?,
        entrypoint: columns.next()?,
        pull_steps: columns.next::<Option<Json<_>>>()?.map(|json| json.0),
        schedules: schedules::read(columns.next()?),
        is_schedule_active: columns.next()?,
        parameters: columns.json()?,
        parameter_schema: columns.next::<Option<Json<_>>>()?.map(|json| json.0),
        enforces_schema: columns.next()?,
        tags: columns.json()?,
        labels: columns.json()?,
        infrastructure: infrastructure(&mut columns)?,
        job_variables: columns.json()?,
        work_queue_id: columns.next()?,
        work_queue_name: columns.next()?,
        work_pool_name: columns.next()?,
        concurrency: Concurrency {
            limit: columns.next()?,
            options: columns
                .next::<Option<Json<Options>>>()?
                .map(|json| json.0.into()),
            taken: columns.next()?,
            shared: columns.next()?,
        },
        shared_limit: None,
        storage_document_id: document_id(&mut columns)?,
        infrastructure_document_id: document_id(&mut columns)?,
        created_by: actors::read(&mut columns)?,
        updated_by: actors::read(&mut columns)?,
        last_polled: columns.next()?,
        served: served(&mut columns)?,
    })
}

fn document_id(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Option<Uuid>> {
    let bytes = columns.next::<Option<[u8; 16]>>()?;
    Ok(bytes.map(Uuid::from_bytes))
}

/// What becomes of runs for which there is no slot, in its column.
#[derive(Serialize, Deserialize)]
struct Options {
    collision_strategy: String,
    grace_period_seconds: Option<i64>,
}

impl From<ConcurrencyOptions> for Options {
    fn from(options: ConcurrencyOptions) -> Self {
        Self {
            collision_strategy: options.collision_strategy.word().to_owned(),
            grace_period_seconds: options.grace_period_seconds,
        }
    }
}

impl From<Options> for ConcurrencyOptions {
    fn from(options: Options) -> Self {
        let strategy = CollisionStrategy::from_word(&options.collision_strategy);
        Self {
            collision_strategy: strategy.unwrap_or_default(),
            grace_period_seconds: options.grace_period_seconds,
        }
    }
}

/// The two columns that say what runs run on.
pub(super) fn infrastructure(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Infrastructure> {
    Ok(Infrastructure {
        kind: columns.next::<Option<String>>()?.map(RunnerKind::from),
        config: columns.next::<Option<Json<_>>>()?.map(|json| json.0),
    })
}

//! States of flow runs and of task runs: two tables of one shape.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, named_params};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::column::Json;
use super::query::{self, Columns};
use super::sql::{Statement, statement};
use crate::domain::JsonMap;
use crate::domain::error::Result;
use crate::domain::ids::{FlowRunId, LeaseId, StateId, TaskRunId};
use crate::domain::state::{State, StateDetails, StateType};
use crate::domain::time::Timestamp;

/// Whose states are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateOf {
    /// A flow run's.
    FlowRun(FlowRunId),
    /// A task run's.
    TaskRun(TaskRunId),
}

/// Adds a state to a run's history.
pub fn insert(db: &Connection, of: StateOf, state: &State) -> Result<()> {
    let sql = match of {
        StateOf::FlowRun(_) => include_str!("../../sql/queries/states/insert_flow.sql"),
        StateOf::TaskRun(_) => include_str!("../../sql/queries/states/insert_task.sql"),
    };
    let run_id = of.run_id();
    let params = named_params! {
        ":id": state.id,
        ":run_id": run_id,
        ":type": state.kind,
        ":name": state.name,
        ":timestamp": state.timestamp,
        ":message": state.message,
        ":data": state.data.as_ref().map(Json),
        ":state_details": Json(&Details::from(&state.details)),
    };
    query::change_in_order(db, sql, params)?;
    Ok(())
}

static OF_FLOW_RUN: Statement = statement!("states/flow_of_run.sql");
static OF_TASK_RUN: Statement = statement!("states/task_of_run.sql");
static FLOW_BY_ID: Statement = statement!("states/flow_by_id.sql");
static TASK_BY_ID: Statement = statement!("states/task_by_id.sql");
static CACHED: Statement = statement!("cache/newest.sql");
const CACHE: &str = include_str!("../../sql/queries/cache/insert.sql");

/// A run's states, oldest first.
pub fn of_run(db: &Connection, of: StateOf) -> Result<Vec<State>> {
    let sql = match of {
        StateOf::FlowRun(_) => &OF_FLOW_RUN,
        StateOf::TaskRun(_) => &OF_TASK_RUN,
    };
    let params = named_params! {":run_id": of.run_id()};
    query::all(db, sql, params, read_row)
}

/// One state of some flow run.
pub fn of_flow_run_by_id(db: &Connection, id: StateId) -> Result<Option<State>> {
    query::one(db, &FLOW_BY_ID, named_params! {":id": id}, read_row)
}

/// One state of some task run.
pub fn of_task_run_by_id(db: &Connection, id: StateId) -> Result<Option<State>> {
    query::one(db, &TASK_BY_ID, named_params! {":id": id}, read_row)
}

/// Remembers a completed task state under a cache key.
pub fn cache(db: &Connection, key: &str, state: &State) -> Result<()> {
    let expiration = state.details.cache_expiration;
    let params = named_params! {":key": key, ":expiration": expiration, ":state_id": state.id};
    query::change(db, CACHE, params)?;
    Ok(())
}

/// The newest state remembered under a cache key, unless it has expired by `now`.
pub fn cached(db: &Connection, key: &str, now: Timestamp) -> Result<Option<State>> {
    let params = named_params! {":key": key, ":now": now};
    query::one(db, &CACHED, params, read_row)
}

impl StateOf {
    fn run_id(&self) -> &[u8] {
        match self {
            StateOf::FlowRun(id) => id.as_bytes(),
            StateOf::TaskRun(id) => id.as_bytes(),
        }
    }
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<State> {
    read(&mut Columns::of(row))
}

/// Reads the seven columns of a state.
pub(super) fn read(columns: &mut Columns<'_, '_>) -> rusqlite::Result<State> {
    let id = columns.next()?;
    read_after_id(id, columns)
}

/// Reads a state that an outer join may have left out.
pub(super) fn read_optional(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Option<State>> {
    columns
        .next::<Option<StateId>>()?
        .map(|id| read_after_id(id, columns))
        .transpose()
}

fn read_after_id(id: StateId, columns: &mut Columns<'_, '_>) -> rusqlite::Result<State> {
    Ok(State {
        id,
        kind: columns.next::<StateType>()?,
        name: columns.next()?,
        timestamp: columns.next()?,
        message: columns.text()?,
        data: columns.next::<Option<Json<_>>>()?.map(|json| json.0),
        details: columns.json::<Details>()?.into(),
    })
}

/// State details as they sit in their column; absent ones are left out.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    flow_run_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_run_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    child_flow_run_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_expiration: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pause_timeout: Option<i64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pause_reschedule: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pause_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_input_keyset: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_cache: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retriable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transition_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lease: Option<Uuid>,
    #[serde(skip_serializing_if = "JsonMap::is_empty")]
    extra: JsonMap,
}

impl From<&StateDetails> for Details {
    fn from(details: &StateDetails) -> Self {
        let StateDetails {
            flow_run_id,
            task_run_id,
            child_flow_run_id,
            scheduled_time,
            cache_key,
            cache_expiration,
            pause_timeout,
            pause_reschedule,
            pause_key,
            run_input_keyset,
            refresh_cache,
            retriable,
            transition_id,
            lease,
            extra,
        } = details;
        Self {
            flow_run_id: flow_run_id.map(FlowRunId::uuid),
            task_run_id: task_run_id.map(TaskRunId::uuid),
            child_flow_run_id: child_flow_run_id.map(FlowRunId::uuid),
            scheduled_time: scheduled_time.map(Timestamp::micros),
            cache_key: cache_key.clone(),
            cache_expiration: cache_expiration.map(Timestamp::micros),
            pause_timeout: pause_timeout.map(Timestamp::micros),
            pause_reschedule: *pause_reschedule,
            pause_key: pause_key.clone(),
            run_input_keyset: run_input_keyset.clone(),
            refresh_cache: *refresh_cache,
            retriable: *retriable,
            transition_id: *transition_id,
            lease: lease.map(LeaseId::uuid),
            extra: extra.clone(),
        }
    }
}

impl From<Details> for StateDetails {
    fn from(details: Details) -> Self {
        Self {
            flow_run_id: details.flow_run_id.map(FlowRunId::from_uuid),
            task_run_id: details.task_run_id.map(TaskRunId::from_uuid),
            child_flow_run_id: details.child_flow_run_id.map(FlowRunId::from_uuid),
            scheduled_time: details.scheduled_time.map(Timestamp::from_micros),
            cache_key: details.cache_key,
            cache_expiration: details.cache_expiration.map(Timestamp::from_micros),
            pause_timeout: details.pause_timeout.map(Timestamp::from_micros),
            pause_reschedule: details.pause_reschedule,
            pause_key: details.pause_key,
            run_input_keyset: details.run_input_keyset,
            refresh_cache: details.refresh_cache,
            retriable: details.retriable,
            transition_id: details.transition_id,
            lease: details.lease.map(LeaseId::from_uuid),
            extra: details.extra,
        }
    }
}

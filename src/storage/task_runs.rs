//! Task runs in the store.

use rusqlite::{Connection, Row as SqlRow, named_params};

use super::column::Json;
use super::query::{self, Columns};
use super::rows::{Filtered, Row, key};
use super::run_counts::{self, Counter, Ended};
use super::sql::{Statement, statement};
use super::{flow_runs, sql, states};
use crate::domain::error::Result;
use crate::domain::event::told::ToldTaskRun;
use crate::domain::filter::Noun;
use crate::domain::ids::{FlowRunId, StateId, TaskRunId};
use crate::domain::run::RunStatistics;
use crate::domain::state::{State, StateType};
use crate::domain::task_run::{RetryPolicy, TaskRun, TaskRunSpec};
use crate::domain::time::Timestamp;

const INSERT: &str = include_str!("../../sql/queries/task_runs/insert.sql");
const ID_BY_KEY: &str = include_str!("../../sql/queries/task_runs/id_by_key.sql");
const FLOW_RUN_OF: &str = include_str!("../../sql/queries/task_runs/flow_run_of.sql");
const SET_ATTEMPT: &str = include_str!("../../sql/queries/task_runs/set_attempt.sql");
const ENTER_STATE: &str = include_str!("../../sql/queries/task_runs/enter_state.sql");
const KNOWN_BY_KEY: &str = include_str!("../../sql/queries/task_runs/known_by_key.sql");
const KNOWN_BY_ID: &str = include_str!("../../sql/queries/task_runs/known_by_id.sql");
const RECORD: &str = include_str!("../../sql/queries/task_runs/record.sql");
static LIVE_OF_RUN: Statement = statement!("task_runs/live_of_run.sql");
const FAILED_OF_RUN: &str = include_str!("../../sql/queries/task_runs/failed_of_run.sql");
const RENAME: &str = include_str!("../../sql/queries/task_runs/rename.sql");

/// Up to `limit` task runs of a flow run that have not ended.
pub fn live_of_run(db: &Connection, id: FlowRunId, limit: i64) -> Result<Vec<TaskRunId>> {
    let params = named_params! {":id": id, ":limit": limit};
    query::all(db, &LIVE_OF_RUN, params, |row| row.get(0))
}

/// Up to `limit` task runs of a flow run that have failed.
pub fn failed_of_run(db: &Connection, id: FlowRunId, limit: i64) -> Result<Vec<TaskRunId>> {
    let params = named_params! {":id": id, ":limit": limit};
    query::all(db, FAILED_OF_RUN, params, |row| row.get(0))
}

/// Stores a run that is new, in its first state. The state's own row comes after it.
pub fn insert(db: &Connection, run: &TaskRun, first: &State) -> Result<()> {
    let spec = &run.spec;
    let params = named_params! {
        ":id": run.id,
        ":now": run.created,
        ":name": spec.name,
        ":flow_run_id": spec.flow_run_id,
        ":task_key": spec.task_key,
        ":dynamic_key": spec.dynamic_key,
        ":cache_key": spec.cache_key,
        ":cache_expiration": spec.cache_expiration,
        ":task_version": spec.task_version,
        ":max_retries": spec.policy.max_retries,
        ":retry_delay": spec.policy.retry_delay,
        ":empirical_policy": Json(&spec.empirical_policy),
        ":tags": Json(&spec.tags),
        ":labels": Json(&spec.labels),
        ":task_inputs": Json(&spec.task_inputs),
        ":flow_run_run_count": run.flow_run_run_count,
        ":run_count": run.statistics.run_count,
        ":expected_start_time": run.statistics.expected_start_time,
        ":next_scheduled_start_time": run.statistics.next_scheduled_start_time,
        ":start_time": run.statistics.start_time,
        ":end_time": run.statistics.end_time,
        ":total_run_time": run.statistics.total_run_time,
        ":state_id": first.id,
        ":state_type": first.kind,
        ":state_name": first.name,
    };
    query::change_in_order(db, INSERT, params)?;
    let counter = || Counter::of_task_run(spec.flow_run_id);
    run_counts::follow(db, counter, None, Ended::by(first, &run.statistics))
}

/// The run of the same task and dynamic key within the same flow run.
pub fn id_by_key(db: &Connection, spec: &TaskRunSpec) -> Result<Option<TaskRunId>> {
    let params = named_params! {
        ":flow_run_id": spec.flow_run_id,
        ":task_key": spec.task_key,
        ":dynamic_key": spec.dynamic_key,
    };
    query::one(db, ID_BY_KEY, params, |row| row.get(0))
}

/// The flow run that a task run belongs to, if it belongs to one.
pub fn flow_run_of(db: &Connection, id: TaskRunId) -> Result<Option<FlowRunId>> {
    let found = query::one(db, FLOW_RUN_OF, named_params! {":id": id}, |row| row.get(0))?;
    Ok(found.flatten())
}

/// Notes to which attempt of its flow run a run belongs.
pub fn set_attempt(db: &Connection, id: TaskRunId, count: i64) -> Result<()> {
    query::change(db, SET_ATTEMPT, named_params! {":id": id, ":count": count})?;
    Ok(())
}

/// Points the run to its new state, and keeps the statistics of the step. When it was first
/// expected to start does not change, so that index is left alone.
pub fn enter_state(
    db: &Connection,
    run: &TaskRun,
    state: &State,
    statistics: &RunStatistics,
) -> Result<()> {
    let left = run_counts::ended_task_run(db, run.id, run.state.as_ref().map(|it| it.kind))?;
    query::change_in_order(
        db,
        ENTER_STATE,
        named_params! {
            ":now": state.timestamp,
            ":state_id": state.id,
            ":state_type": state.kind,
            ":state_name": state.name,
            ":run_count": statistics.run_count,
            ":next_scheduled_start_time": statistics.next_scheduled_start_time,
            ":start_time": statistics.start_time,
            ":end_time": statistics.end_time,
            ":total_run_time": statistics.total_run_time,
            ":id": run.id,
        },
    )?;
    let counter = || Counter::of_task_run(run.spec.flow_run_id);
    let entered = Ended::by(state, statistics).map(|it| it.expected(&run.statistics));
    run_counts::follow(db, counter, left, entered)
}

/// What is stored of a run that an event tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its id.
    pub id: TaskRunId,
    /// The flow run that it is part of.
    pub flow_run_id: Option<FlowRunId>,
    /// When it entered its state, and that state's id.
    pub state: Option<(Timestamp, StateId)>,
    /// The type of that state, where its row is there.
    pub kind: Option<StateType>,
}

/// The run that an event tells of: of the same task and dynamic key in the flow run, or else of
/// the same id.
pub fn known(db: &Connection, told: &ToldTaskRun) -> Result<Option<Known>> {
    let read = |row: &SqlRow<'_>| {
        let at: Option<Timestamp> = row.get(2)?;
        Ok(Known {
            id: row.get(0)?,
            flow_run_id: row.get(1)?,
            state: at.zip(row.get(3)?),
            kind: row.get(4)?,
        })
    };
    let key = named_params! {
        ":flow_run_id": told.flow_run_id,
        ":task_key": told.task_key,
        ":dynamic_key": told.dynamic_key,
    };
    match query::one(db, KNOWN_BY_KEY, key, read)? {
        Some(known) => Ok(Some(known)),
        None => query::one(db, KNOWN_BY_ID, named_params! {":id": told.id}, read),
    }
}

/// Makes a run what an event tells of it, its state included, whose row is there already.
pub fn record(db: &Connection, known: Known, told: &ToldTaskRun, now: Timestamp) -> Result<()> {
    let left = run_counts::ended_task_run(db, known.id, known.kind)?;
    let policy = RetryPolicy::told(&told.empirical_policy);
    let params = named_params! {
        ":id": known.id,
        ":now": now,
        ":name": told.name,
        ":max_retries": policy.max_retries,
        ":retry_delay": policy.retry_delay,
        ":empirical_policy": Json(&told.empirical_policy),
        ":tags": Json(&told.tags),
        ":labels": Json(&told.labels),
        ":task_inputs": Json(&told.task_inputs),
        ":flow_run_run_count": told.flow_run_run_count,
        ":run_count": told.statistics.run_count,
        ":expected_start_time": told.statistics.expected_start_time,
        ":next_scheduled_start_time": told.statistics.next_scheduled_start_time,
        ":start_time": told.statistics.start_time,
        ":end_time": told.statistics.end_time,
        ":total_run_time": told.statistics.total_run_time,
        ":state_id": told.state.id,
        ":state_type": told.state.kind,
        ":state_name": told.state.name,
    };
    query::change(db, RECORD, params)?;
    let counter = || Counter::of_task_run(known.flow_run_id);
    run_counts::follow(db, counter, left, Ended::by(&told.state, &told.statistics))
}

/// Renames a run; false when there is none.
pub fn rename(db: &Connection, id: TaskRunId, name: &str, now: Timestamp) -> Result<bool> {
    let params = named_params! {":id": id, ":name": name, ":now": now};
    Ok(query::change(db, RENAME, params)? > 0)
}

key!(TaskRunId, TaskRun);

impl Row for TaskRun {
    const TABLE: &'static str = "task_runs";
    const STATES: Option<&'static str> = Some("task_run_states");

    fn columns() -> &'static str {
        &sql::TASK_RUN
    }

    fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        read(row)
    }
}

impl Filtered for TaskRun {
    const NOUN: Noun = Noun::TaskRun;
}

fn read(row: &SqlRow<'_>) -> rusqlite::Result<TaskRun> {
    let mut columns = Columns::of(row);
    Ok(TaskRun {
        id: columns.next()?,
        created: columns.next()?,
        updated: columns.next()?,
        spec: TaskRunSpec {
            name: columns.next()?,
            flow_run_id: columns.next()?,
            task_key: columns.next()?,
            dynamic_key: columns.next()?,
            cache_key: columns.next()?,
            cache_expiration: columns.next()?,
            task_version: columns.next()?,
            policy: RetryPolicy {
                max_retries: columns.next()?,
                retry_delay: columns.next()?,
            },
            empirical_policy: columns.json()?,
            tags: columns.json()?,
            labels: columns.json()?,
            task_inputs: columns.json()?,
        },
        flow_run_run_count: columns.next()?,
        statistics: flow_runs::statistics(&mut columns)?,
        state: states::read_optional(&mut columns)?,
    })
}

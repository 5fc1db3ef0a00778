//! Task runs in the store.

use rusqlite::{Connection, Row as SqlRow, named_params};

use super::column::Json;
use super::query::{self, Columns};
use super::rows::{Filtered, Row, key};
use super::{flow_runs, sql, states};
use crate::domain::error::Result;
use crate::domain::filter::Noun;
use crate::domain::ids::{FlowRunId, TaskRunId};
use crate::domain::run::RunStatistics;
use crate::domain::state::State;
use crate::domain::task_run::{RetryPolicy, TaskRun, TaskRunSpec};

const INSERT: &str = include_str!("../../sql/queries/task_runs/insert.sql");
const ID_BY_KEY: &str = include_str!("../../sql/queries/task_runs/id_by_key.sql");
const FLOW_RUN_OF: &str = include_str!("../../sql/queries/task_runs/flow_run_of.sql");
const ENTER_STATE: &str = include_str!("../../sql/queries/task_runs/enter_state.sql");

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
        ":tags": Json(&spec.tags),
        ":task_inputs": Json(&spec.task_inputs),
        ":run_count": run.statistics.run_count,
        ":expected_start_time": run.statistics.expected_start_time,
        ":next_scheduled_start_time": run.statistics.next_scheduled_start_time,
        ":start_time": run.statistics.start_time,
        ":end_time": run.statistics.end_time,
        ":state_id": first.id,
        ":state_type": first.kind,
        ":state_name": first.name,
    };
    query::change(db, INSERT, params)?;
    Ok(())
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

/// The flow run that a task run belongs to.
pub fn flow_run_of(db: &Connection, id: TaskRunId) -> Result<Option<FlowRunId>> {
    query::one(db, FLOW_RUN_OF, named_params! {":id": id}, |row| row.get(0))
}

/// Points the run to its new state, and keeps the statistics of the step. When it was first
/// expected to start does not change, so that index is left alone.
pub fn enter_state(
    db: &Connection,
    run: &TaskRun,
    state: &State,
    statistics: &RunStatistics,
) -> Result<()> {
    query::change(
        db,
        ENTER_STATE,
        named_params! {
            ":id": run.id,
            ":now": state.timestamp,
            ":state_id": state.id,
            ":state_type": state.kind,
            ":state_name": state.name,
            ":run_count": statistics.run_count,
            ":next_scheduled_start_time": statistics.next_scheduled_start_time,
            ":start_time": statistics.start_time,
            ":end_time": statistics.end_time,
            ":total_run_time": statistics.total_run_time,
        },
    )?;
    Ok(())
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
            tags: columns.next::<Json<_>>()?.0,
            task_inputs: columns.next::<Json<_>>()?.0,
        },
        statistics: flow_runs::statistics(&mut columns)?,
        state: states::read_optional(&mut columns)?,
    })
}

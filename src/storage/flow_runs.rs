//! Flow runs in the store.

use rusqlite::{Connection, Row as SqlRow, named_params};

use super::column::Json;
use super::query::{self, Columns};
use super::rows::{Filtered, Row, key};
use super::run_counts::{self, Counter, Ended};
use super::sql::{Statement, statement};
use super::{actors, deployments, run_policy, sql, states};
use crate::domain::JsonMap;
use crate::domain::error::Result;
use crate::domain::filter::Noun;
use crate::domain::flow_run::{Claim, FlowRun, FlowRunUpdate, Origin, RunQueue};
use crate::domain::flow_run_policy::FlowRunPolicy;
use crate::domain::ids::{FlowId, FlowRunId, WorkQueueId};
use crate::domain::run::RunStatistics;
use crate::domain::runner::RunnerKind;
use crate::domain::state::{State, StateType};
use crate::domain::time::{Span, Timestamp};

const INSERT: &str = include_str!("../../sql/queries/flow_runs/insert.sql");
const ID_BY_KEY: &str = include_str!("../../sql/queries/flow_runs/id_by_key.sql");
const UPDATE: &str = include_str!("../../sql/queries/flow_runs/update.sql");
const ENTER_STATE: &str = include_str!("../../sql/queries/flow_runs/enter_state.sql");
const ORIGIN: &str = include_str!("../../sql/queries/flow_runs/origin.sql");
const SET_START: &str = include_str!("../../sql/queries/flow_runs/set_start.sql");
const SET_LABELS: &str = include_str!("../../sql/queries/flow_runs/set_labels.sql");
const SET_POLICY: &str = include_str!("../../sql/queries/flow_runs/set_policy.sql");
const COUNT_BY_STATE: &str = include_str!("../../sql/queries/flow_runs/count_by_state.sql");
const IS_WITHIN: &str = include_str!("../../sql/queries/flow_runs/is_within.sql");
const OVERDUE: &str = include_str!("../../sql/queries/flow_runs/overdue.sql");
const NEXT_DEADLINE: &str = include_str!("../../sql/queries/flow_runs/next_deadline.sql");
const CANCELLED_SINCE: &str = include_str!("../../sql/queries/flow_runs/cancelled_since.sql");
static LIVE_SUB_RUNS: Statement = statement!("flow_runs/live_sub_runs.sql");
const QUEUE: &str = include_str!("../../sql/queries/flow_runs/queue.sql");
const OUTPUT: &str = include_str!("../../sql/queries/flow_runs/output.sql");

/// How long a cancellation may stay unconfirmed, as on the 3.9 server.
const UNCONFIRMED: Span = Span::from_micros(300 * 1_000_000);

/// How long after the end of its pause a run's process may still tell that by itself: it looks
/// every second or so, and what it tells has its reason. The 3.9 server looks every five seconds.
const TOLD_BY_ITSELF: Span = Span::from_micros(2_500_000);

/// Stores a run that is new, in its first state. The state's own row comes after it.
pub fn insert(db: &Connection, run: &FlowRun, first: &State) -> Result<()> {
    let params = named_params! {
        ":id": run.id,
        ":now": run.created,
        ":name": run.name,
        ":flow_id": run.flow_id,
        ":deployment_id": run.deployment_id,
        ":flow_version": run.flow_version,
        ":parameters": Json(&run.parameters),
        ":idempotency_key": run.idempotency_key,
        ":context": Json(&run.context),
        ":empirical_policy": run_policy::column(&run.policy),
        ":tags": Json(&run.tags),
        ":labels": Json(&run.labels),
        ":parent_task_run_id": run.parent_task_run_id,
        ":auto_scheduled": run.auto_scheduled,
        ":infrastructure_kind": run.infrastructure.kind.as_ref().map(RunnerKind::word),
        ":infrastructure_config": run.infrastructure.config.as_ref().map(Json),
        ":job_variables": run.job_variables.as_ref().map(Json),
        ":work_queue_id": run.work_queue_id,
        ":deployment_version": run.deployment_version,
        ":created_by": actors::Column(run.created_by.as_ref()),
        ":run_count": run.statistics.run_count,
        ":expected_start_time": run.statistics.expected_start_time,
        ":next_scheduled_start_time": run.statistics.next_scheduled_start_time,
        ":start_time": run.statistics.start_time,
        ":end_time": run.statistics.end_time,
        ":state_id": first.id,
        ":state_type": first.kind,
        ":state_name": first.name,
        ":state_deadline": deadline(run, first),
    };
    query::change_in_order(db, INSERT, params)?;
    let counter = || Counter::of_flow_run(run);
    run_counts::follow(db, counter, None, Ended::by(first, &run.statistics))
}

/// What a run came from, and its labels; absent: there is no such run.
pub fn origin(db: &Connection, id: FlowRunId) -> Result<Option<Origin>> {
    query::one(db, ORIGIN, named_params! {":id": id}, |row| {
        Ok(Origin {
            flow_id: row.get(0)?,
            deployment_id: row.get(1)?,
            labels: row.get::<_, Json<_>>(2)?.0,
        })
    })
}

/// What a row tells of a run's output.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// The run's state's type.
    pub state: Option<StateType>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// When it first ran.
    pub started: Option<Timestamp>,
    /// The agent that took it.
    pub agent: Option<String>,
    /// Whether that may have more of its output to store.
    pub is_open: bool,
}

/// How a run's output stands.
pub fn output(db: &Connection, id: FlowRunId) -> Result<Option<Output>> {
    query::one(db, OUTPUT, named_params! {":id": id}, |row| {
        let mut columns = Columns::of(row);
        Ok(Output {
            state: columns.next()?,
            ended: columns.next()?,
            started: columns.next()?,
            agent: columns.next()?,
            is_open: columns.next()?,
        })
    })
}

/// The flow's run with that idempotency key.
pub fn id_by_key(db: &Connection, flow_id: FlowId, key: &str) -> Result<Option<FlowRunId>> {
    let params = named_params! {":flow_id": flow_id, ":key": key};
    query::one(db, ID_BY_KEY, params, |row| row.get(0))
}

/// Changes what the update names; the rest of `run` stays.
pub fn update(db: &Connection, run: FlowRun, change: FlowRunUpdate, now: Timestamp) -> Result<()> {
    let infrastructure = change.infrastructure.unwrap_or(run.infrastructure);
    let policy = change.policy.unwrap_or(run.policy);
    let job_variables = change.job_variables.over(run.job_variables);
    let params = named_params! {
        ":id": run.id,
        ":now": now,
        ":name": change.name.unwrap_or(run.name),
        ":flow_version": change.flow_version.over(run.flow_version),
        ":parameters": Json(&change.parameters.unwrap_or(run.parameters)),
        ":tags": Json(&change.tags.unwrap_or(run.tags)),
        ":infrastructure_kind": infrastructure.kind.as_ref().map(RunnerKind::word),
        ":infrastructure_config": infrastructure.config.as_ref().map(Json),
        ":empirical_policy": run_policy::column(&policy),
        ":job_variables": job_variables.as_ref().map(Json),
        ":infrastructure_pid": change.infrastructure_pid.over(run.infrastructure_pid),
    };
    query::change(db, UPDATE, params)?;
    Ok(())
}

/// Gives a run these labels in the place of those that it has.
pub fn set_labels(db: &Connection, id: FlowRunId, labels: &JsonMap, now: Timestamp) -> Result<()> {
    let params = named_params! {":id": id, ":labels": Json(labels), ":now": now};
    query::change(db, SET_LABELS, params)?;
    Ok(())
}

/// Gives a run this policy in the place of the one that it has.
pub fn set_policy(db: &Connection, id: FlowRunId, policy: &FlowRunPolicy) -> Result<()> {
    let params = named_params! {":id": id, ":empirical_policy": run_policy::column(policy)};
    query::change(db, SET_POLICY, params)?;
    Ok(())
}

/// Up to `limit` runs in states that are over at `now`.
pub fn overdue(db: &Connection, now: Timestamp, limit: i64) -> Result<Vec<FlowRunId>> {
    let params = named_params! {":now": now, ":limit": limit};
    query::all(db, OVERDUE, params, |row| row.get(0))
}

/// When the next state is over.
pub fn next_deadline(db: &Connection) -> Result<Option<Timestamp>> {
    query::one(db, NEXT_DEADLINE, [], |row| row.get(0))
}

/// Up to `limit` cancelled runs that ended after `since`, with when that was.
pub fn cancelled_since(
    db: &Connection,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<(FlowRunId, Timestamp)>> {
    let params = named_params! {":since": since, ":limit": limit};
    query::all(db, CANCELLED_SINCE, params, |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}

/// Up to `limit` runs of a run's sub-flows that have not ended.
pub fn live_sub_runs(db: &Connection, id: FlowRunId, limit: i64) -> Result<Vec<FlowRunId>> {
    let params = named_params! {":id": id, ":limit": limit};
    query::all(db, &LIVE_SUB_RUNS, params, |row| row.get(0))
}

/// When a state is over unless something happens. What an agent of ours holds is ended by that.
fn deadline(run: &FlowRun, state: &State) -> Option<Timestamp> {
    match state.kind {
        StateType::Paused if state.details.pause_reschedule => state.details.pause_timeout,
        StateType::Paused => state.details.pause_timeout.map(|end| end + TOLD_BY_ITSELF),
        StateType::Cancelling if run.claim.is_none() => Some(state.timestamp + UNCONFIRMED),
        _ => None,
    }
}

/// Points the run to its new state, and keeps the statistics of the step. When it was first
/// expected to start does not change, so that index is left alone; nor is that of its start,
/// where that stays.
pub fn enter_state(
    db: &Connection,
    run: &FlowRun,
    state: &State,
    statistics: &RunStatistics,
) -> Result<()> {
    let left = run_counts::ended_flow_run(db, run.id, run.state.as_ref().map(|it| it.kind))?;
    let params = named_params! {
        ":now": state.timestamp,
        ":state_id": state.id,
        ":state_type": state.kind,
        ":state_name": state.name,
        ":run_count": statistics.run_count,
        ":next_scheduled_start_time": statistics.next_scheduled_start_time,
        ":end_time": statistics.end_time,
        ":total_run_time": statistics.total_run_time,
        ":state_deadline": deadline(run, state),
        ":id": run.id,
    };
    query::change_in_order(db, ENTER_STATE, params)?;
    let counter = || Counter::of_flow_run(run);
    let entered = Ended::by(state, statistics).map(|it| it.expected(&run.statistics));
    run_counts::follow(db, counter, left, entered)?;
    if statistics.start_time != run.statistics.start_time {
        let params = named_params! {":start_time": statistics.start_time, ":id": run.id};
        query::change(db, SET_START, params)?;
    }
    Ok(())
}

/// Whether a run was begun by another one: as its sub-flow, or by a run that was.
pub fn is_within(db: &Connection, id: FlowRunId, ancestor: FlowRunId) -> Result<bool> {
    let params = named_params! {":id": id, ":ancestor": ancestor};
    let found = query::one(db, IS_WITHIN, params, |row| row.get(0))?;
    Ok(found.unwrap_or(false))
}

/// How many runs are in a state of each type; types without any are left out.
pub fn count_by_state(db: &Connection) -> Result<Vec<(StateType, u64)>> {
    let read = |row: &SqlRow<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs()));
    query::all(db, COUNT_BY_STATE, [], read)
}

key!(FlowRunId, FlowRun);

impl Row for FlowRun {
    const TABLE: &'static str = "flow_runs";
    const STATES: Option<&'static str> = Some("flow_run_states");

    fn columns() -> &'static str {
        &sql::FLOW_RUN
    }

    fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        read(row)
    }

    /// Most runs are in no queue, and those of a page mostly in the same.
    fn complete(db: &Connection, runs: &mut [Self]) -> Result<()> {
        let mut known: Option<(WorkQueueId, Option<RunQueue>)> = None;
        for run in runs {
            let Some(id) = run.work_queue_id else {
                continue;
            };
            let names = match known {
                Some((last, names)) if last == id => names,
                _ => queue(db, id)?,
            };
            run.queue.clone_from(&names);
            known = Some((id, names));
        }
        Ok(())
    }
}

impl Filtered for FlowRun {
    const NOUN: Noun = Noun::FlowRun;
}

fn read(row: &SqlRow<'_>) -> rusqlite::Result<FlowRun> {
    let mut columns = Columns::of(row);
    Ok(FlowRun {
        id: columns.next()?,
        created: columns.next()?,
        updated: columns.next()?,
        name: columns.next()?,
        flow_id: columns.next()?,
        deployment_id: columns.next()?,
        flow_version: columns.next()?,
        parameters: columns.json()?,
        idempotency_key: columns.next()?,
        context: columns.json()?,
        policy: run_policy::read(&mut columns)?,
        empirical_config: columns.json()?,
        tags: columns.json()?,
        labels: columns.json()?,
        parent_task_run_id: columns.next()?,
        auto_scheduled: columns.next()?,
        infrastructure: deployments::infrastructure(&mut columns)?,
        job_variables: columns.next::<Option<Json<_>>>()?.map(|json| json.0),
        work_queue_id: columns.next()?,
        // See `FlowRun::complete`.
        queue: None,
        deployment_version: columns.next()?,
        infrastructure_pid: columns.next()?,
        created_by: actors::read(&mut columns)?,
        claim: claim(&mut columns)?,
        statistics: statistics(&mut columns)?,
        state: states::read_optional(&mut columns)?,
    })
}

/// The names of a queue, which runs are told with.
fn queue(db: &Connection, id: WorkQueueId) -> Result<Option<RunQueue>> {
    query::one(db, QUEUE, named_params! {":id": id}, |row| {
        Ok(RunQueue {
            name: row.get(0)?,
            pool_id: row.get(1)?,
            pool_name: row.get(2)?,
        })
    })
}

fn claim(columns: &mut Columns<'_, '_>) -> rusqlite::Result<Option<Claim>> {
    let agent: Option<String> = columns.next()?;
    let at: Option<Timestamp> = columns.next()?;
    let infrastructure_id = columns.next()?;
    Ok(agent.zip(at).map(|(agent, at)| Claim {
        agent,
        at,
        infrastructure_id,
    }))
}

/// The six columns of counts and times.
pub(super) fn statistics(columns: &mut Columns<'_, '_>) -> rusqlite::Result<RunStatistics> {
    Ok(RunStatistics {
        run_count: columns.next()?,
        expected_start_time: columns.next()?,
        next_scheduled_start_time: columns.next()?,
        start_time: columns.next()?,
        end_time: columns.next()?,
        total_run_time: columns.next()?,
    })
}

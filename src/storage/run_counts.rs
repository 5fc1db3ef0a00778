//! What is counted of runs that have ended: kept with each state that a run enters, and by triggers
//! where runs go. What is asked of it is in [`rows::counts`](super::rows::counts).

use rusqlite::types::Value;
use rusqlite::{Connection, ToSql, named_params};
use uuid::Uuid;

use super::parts::Parts;
use super::query::{self, Columns};
use super::sql::{Statement, statement};
use crate::domain::error::Result;
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::{FlowRunId, TaskRunId};
use crate::domain::run::RunStatistics;
use crate::domain::state::{State, StateType};
use crate::domain::time::{Span, Timestamp};

static ENDED_FLOW_RUN: Statement = statement!("run_counts/ended_flow_run.sql");
static ENDED_TASK_RUN: Statement = statement!("run_counts/ended_task_run.sql");

/// An hour and a second, in microseconds: of so much time runs are counted together.
pub(super) const STEPS: [i64; 2] = [3_600_000_000, 1_000_000];

/// A time that a run does not have counts as this one.
pub(super) const MISSING: i64 = i64::MIN;

/// What a run is counted by beside its state and times, and the statements for it.
pub(super) struct Counter {
    first: &'static str,
    more: &'static str,
    fewer: &'static str,
    none: &'static str,
    keys: Vec<(&'static str, Value)>,
}

/// A run that has ended.
pub(super) struct Ended {
    kind: StateType,
    name: String,
    expected: Option<Timestamp>,
    started: Option<Timestamp>,
    run_time: Span,
}

/// The flow run as it was counted, if it has ended. `state` is known of it, if any is: where that
/// ends nothing, the row is not asked.
pub(super) fn ended_flow_run(
    db: &Connection,
    id: FlowRunId,
    state: Option<StateType>,
) -> Result<Option<Ended>> {
    ended(db, &ENDED_FLOW_RUN, &id, state)
}

/// The task run, likewise.
pub(super) fn ended_task_run(
    db: &Connection,
    id: TaskRunId,
    state: Option<StateType>,
) -> Result<Option<Ended>> {
    ended(db, &ENDED_TASK_RUN, &id, state)
}

fn ended(
    db: &Connection,
    sql: &str,
    id: &dyn ToSql,
    state: Option<StateType>,
) -> Result<Option<Ended>> {
    match state {
        Some(state) if !state.is_terminal() => Ok(None),
        _ => query::one(db, sql, named_params! {":id": id}, |row| {
            let mut columns = Columns::of(row);
            Ok(Ended {
                kind: columns.next()?,
                name: columns.next()?,
                expected: columns.next()?,
                started: columns.next()?,
                run_time: columns.next()?,
            })
        }),
    }
}

/// Counts a run as what it becomes in a state, and no more as what it was. States that end nothing
/// count for nothing.
pub(super) fn follow(
    db: &Connection,
    counter: impl FnOnce() -> Counter,
    left: Option<Ended>,
    entered: Option<Ended>,
) -> Result<()> {
    if left.is_none() && entered.is_none() {
        return Ok(());
    }
    let counter = counter();
    if let Some(left) = left {
        counter.leave(db, &left)?;
    }
    entered.map_or(Ok(()), |entered| counter.enter(db, &entered))
}

impl Counter {
    /// Of flow runs like that one.
    pub fn of_flow_run(run: &FlowRun) -> Self {
        let id =
            |id: Option<Uuid>| Value::Blob(id.map(|id| id.as_bytes().to_vec()).unwrap_or_default());
        Self {
            first: include_str!("../../sql/queries/run_counts/first_flow_run.sql"),
            more: include_str!("../../sql/queries/run_counts/more_flow_runs.sql"),
            fewer: include_str!("../../sql/queries/run_counts/fewer_flow_runs.sql"),
            none: include_str!("../../sql/queries/run_counts/no_flow_runs.sql"),
            keys: vec![
                (":flow_id", id(Some(run.flow_id.uuid()))),
                (":deployment_id", id(run.deployment_id.map(|id| id.uuid()))),
                (":work_queue_id", id(run.work_queue_id.map(|id| id.uuid()))),
            ],
        }
    }

    /// Of task runs that are part of a flow run, or are not.
    pub fn of_task_run(flow_run_id: Option<FlowRunId>) -> Self {
        Self {
            first: include_str!("../../sql/queries/run_counts/first_task_run.sql"),
            more: include_str!("../../sql/queries/run_counts/more_task_runs.sql"),
            fewer: include_str!("../../sql/queries/run_counts/fewer_task_runs.sql"),
            none: include_str!("../../sql/queries/run_counts/no_task_runs.sql"),
            keys: vec![(":in_flow_run", flow_run_id.is_some().into())],
        }
    }

    /// One more in its second and in its hour: mostly others were there before.
    fn enter(&self, db: &Connection, run: &Ended) -> Result<()> {
        let sums = run.sums();
        for step in STEPS {
            let place = self.place(run, step);
            let params = named(sums.iter().chain(&place));
            query::change_or_make(db, (self.more, self.first), &params)?;
        }
        Ok(())
    }

    fn leave(&self, db: &Connection, run: &Ended) -> Result<()> {
        let sums = run.sums();
        for step in STEPS {
            let place = self.place(run, step);
            query::change_in_order(db, self.fewer, &named(sums.iter().chain(&place)))?;
            query::change_in_order(db, self.none, &named(&place))?;
        }
        Ok(())
    }

    /// The key of what is counted.
    fn place(&self, run: &Ended, step: i64) -> Vec<Param> {
        let start =
            |time: Option<Timestamp>| time.map_or(MISSING, |time| time.micros().last_of(step));
        let mut place = Vec::with_capacity(5 + self.keys.len());
        place.extend([
            (":step", step.into()),
            (":expected", start(run.expected).into()),
            (":started", start(run.started).into()),
            (":state_type", run.kind.word().to_owned().into()),
            (":state_name", run.name.clone().into()),
        ]);
        place.extend(self.keys.iter().cloned());
        place
    }
}

type Param = (&'static str, Value);

impl Ended {
    /// A run that enters a state with these statistics, if that ends it.
    pub fn by(state: &State, statistics: &RunStatistics) -> Option<Self> {
        state.kind.is_terminal().then(|| Self {
            kind: state.kind,
            name: state.name.clone(),
            expected: statistics.expected_start_time,
            started: statistics.start_time,
            run_time: statistics.total_run_time,
        })
    }

    /// The same, expected when the row says: that does not change with a state.
    pub fn expected(self, stored: &RunStatistics) -> Self {
        Self {
            expected: stored.expected_start_time,
            ..self
        }
    }

    /// What is added up of it.
    fn sums(&self) -> [Param; 2] {
        [
            (":run_time", self.run_time()),
            (":lateness", self.lateness()),
        ]
    }

    fn run_time(&self) -> Value {
        self.run_time.micros().max(0).into()
    }

    fn lateness(&self) -> Value {
        let late = self
            .started
            .zip(self.expected)
            .map(|(started, expected)| started - expected);
        late.unwrap_or_default().micros().max(0).into()
    }
}

fn named<'a>(params: impl IntoIterator<Item = &'a Param>) -> Vec<(&'static str, &'a dyn ToSql)> {
    let params = params.into_iter();
    params
        .map(|(name, value)| (*name, value as &dyn ToSql))
        .collect()
}

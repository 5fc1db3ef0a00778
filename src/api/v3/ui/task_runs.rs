//! Task runs as charts show them.

use std::collections::HashSet;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::access::Requester;
use crate::api::redaction::{Reader, Redact, harmless};
use crate::api::v3::extract::{Body, Id};
use crate::api::v3::wire::operators::ByStateType;
use crate::api::v3::wire::{
    ByState, DeploymentFilter, FlowFilter, FlowRunFilter, Query, StateWord, TaskRun, TaskRunFilter,
    WorkPoolFilter, WorkQueueFilter,
};
use crate::api::v3::{Answer, ok};
use crate::api::{Ctx, Operation};
use crate::domain::access::Need;
use crate::domain::error::{Error, Result};
use crate::domain::glance::Outcomes;
use crate::domain::history::Buckets;
use crate::domain::ids::{FlowRunId, TaskRunId};
use crate::domain::state::StateType;
use crate::domain::time::{Span, Timestamp};

/// In how many parts of time a dashboard counts.
const PARTS: i64 = 20;
const MINUTE: i64 = 60_000_000;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/ui/task_runs/count", "Counts task runs by state")
            .asks::<Query>()
            .answers::<CountByState>()
            .needs(Need::Read, count),
        Operation::post(
            "/ui/task_runs/dashboard/counts",
            "Counts how task runs ended, in twenty parts of time",
        )
        .asks::<DashboardQuery>()
        .lists::<TaskRunCount>()
        .needs(Need::Read, dashboard),
        Operation::get(
            "/ui/task_runs/{id}",
            "Reads a task run with its flow run's name",
        )
        .answers::<NamedTaskRun>()
        .needs(Need::Read, read),
    ]
}

/// How many runs are in states of each type.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub struct CountByState {
    completed: i64,
    pending: i64,
    running: i64,
    failed: i64,
    cancelled: i64,
    crashed: i64,
    paused: i64,
    cancelling: i64,
    scheduled: i64,
}

/// How many task runs ended well, and how many did not.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct TaskRunCount {
    completed: i64,
    failed: i64,
}

harmless!(CountByState, TaskRunCount);

impl CountByState {
    fn of(counts: Vec<(StateType, i64)>) -> Self {
        let mut all = Self::default();
        for (kind, count) in counts {
            let one = match kind {
                StateType::Completed => &mut all.completed,
                StateType::Pending => &mut all.pending,
                StateType::Running => &mut all.running,
                StateType::Failed => &mut all.failed,
                StateType::Cancelled => &mut all.cancelled,
                StateType::Crashed => &mut all.crashed,
                StateType::Paused => &mut all.paused,
                StateType::Cancelling => &mut all.cancelling,
                StateType::Scheduled => &mut all.scheduled,
            };
            *one = count;
        }
        all
    }
}

/// A task run with the name of its flow run.
#[derive(Debug, Serialize, ToSchema)]
pub struct NamedTaskRun {
    #[serde(flatten)]
    run: TaskRun,
    flow_run_name: Option<String>,
}

impl Redact for NamedTaskRun {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        self.run.runs(noted);
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        let Self { run, flow_run_name } = self;
        run.redact(reader);
        reader.of_nobody().over(flow_run_name);
    }
}

/// Which task runs a dashboard counts, and which time.
#[derive(Debug, Deserialize, ToSchema)]
pub struct DashboardQuery {
    /// About task runs: `start_time.after_` says where the time begins.
    task_runs: TaskRunFilter,
    /// About their flows.
    #[serde(default)]
    flows: Option<FlowFilter>,
    /// About their flow runs.
    #[serde(default)]
    flow_runs: Option<FlowRunFilter>,
    /// About the deployments of those.
    #[serde(default)]
    deployments: Option<DeploymentFilter>,
    /// About the work pools of those.
    #[serde(default)]
    work_pools: Option<WorkPoolFilter>,
    /// About the queues of those.
    #[serde(default)]
    work_queues: Option<WorkQueueFilter>,
}

/// As on the reference from a whole minute on to the end of one.
fn parts(task_runs: &TaskRunFilter, now: Timestamp) -> Result<Buckets> {
    let by = task_runs.start_time.as_ref();
    let after = by.and_then(|by| by.after_);
    let after = after.ok_or_else(|| Error::invalid("task_runs.start_time.after_ is required"))?;
    let before = by.and_then(|by| by.before_);
    let minute = |at: Timestamp| at.micros().div_euclid(MINUTE) * MINUTE;
    let start = minute(after.into());
    let end = minute(before.map_or(now, Into::into)).saturating_add(MINUTE);
    if end <= start {
        return Err(Error::invalid("The time ends before it begins."));
    }
    let step = end.saturating_sub(start).div_euclid(PARTS);
    let start = Timestamp::from_micros(start);
    let end = start + Span::from_micros(step.saturating_mul(PARTS));
    Ok(Buckets::exact(start, end, Span::from_micros(step)))
}

impl DashboardQuery {
    fn query(self) -> Query {
        let ended = StateType::ALL.into_iter().filter(|kind| kind.is_terminal());
        let ended = ByStateType {
            any_: Some(ended.map(StateWord).collect()),
            ..ByStateType::default()
        };
        Query {
            task_runs: Some(TaskRunFilter {
                state: Some(ByState {
                    kind: Some(ended),
                    ..ByState::default()
                }),
                ..self.task_runs
            }),
            flows: self.flows,
            flow_runs: self.flow_runs,
            deployments: self.deployments,
            work_pools: self.work_pools,
            work_pool_queues: self.work_queues,
            ..Query::default()
        }
    }
}

pub async fn count(State(ctx): State<Ctx>, who: Requester, Body(query): Body<Query>) -> Answer {
    let counts = ctx.app.count_task_runs_by_state(query.filters()?).await?;
    ok(&who, CountByState::of(counts)).await
}

pub async fn dashboard(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(asked): Body<DashboardQuery>,
) -> Answer {
    let buckets = parts(&asked.task_runs, ctx.app.now())?;
    let filters = asked.query().filters()?;
    let outcomes = ctx.app.task_run_outcomes(filters, buckets).await?;
    ok(&who, spread(&outcomes)).await
}

fn spread(outcomes: &[Outcomes]) -> Vec<TaskRunCount> {
    let mut parts = vec![TaskRunCount::default(); usize::try_from(PARTS).unwrap_or_default()];
    for one in outcomes {
        let at = usize::try_from(one.bucket).ok();
        if let Some(part) = at.and_then(|at| parts.get_mut(at)) {
            part.completed = one.completed;
            part.failed = one.failed;
        }
    }
    parts
}

pub async fn read(State(ctx): State<Ctx>, who: Requester, Id(id): Id) -> Answer {
    let id = TaskRunId::from_uuid(id);
    let (run, flow_run_name) = ctx.app.task_run_in_flow_run(id).await?;
    let run = TaskRun::new(run, ctx.app.now());
    ok(&who, NamedTaskRun { run, flow_run_name }).await
}

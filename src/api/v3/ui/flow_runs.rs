//! Flow runs as charts show them.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Counts, OfFlowRuns, bounded};
use crate::api::access::Requester;
use crate::api::redaction::harmless;
use crate::api::v3::extract::Body;
use crate::api::v3::wire::{Instant, Query};
use crate::api::v3::{Answer, ok};
use crate::api::{Ctx, Operation};
use crate::domain::access::Need;
use crate::domain::error::{Error, Result};
use crate::domain::filter::flow_run::SORTS;
use crate::domain::glance::Glance;
use crate::domain::ids::FlowRunId;
use crate::domain::time::Timestamp;

/// The most runs on one chart.
const MOST_RUNS: u64 = 1000;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/ui/flow_runs/history", "Flow runs as a chart shows them")
            .asks::<Query>()
            .lists::<SimpleFlowRun>()
            .needs(Need::Read, history),
        Operation::post(
            "/ui/flow_runs/count-task-runs",
            "Counts the task runs of flow runs",
        )
        .asks::<OfFlowRuns>()
        .answers::<Counts>()
        .needs(Need::Read, count_task_runs),
    ]
}

/// A flow run on a chart. Times of length are seconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct SimpleFlowRun {
    id: Uuid,
    state_type: Option<&'static str>,
    timestamp: Option<Instant>,
    duration: f64,
    lateness: f64,
}

harmless!(SimpleFlowRun);

impl SimpleFlowRun {
    fn new(run: &Glance, now: Timestamp) -> Self {
        Self {
            id: run.id.uuid(),
            state_type: run.kind.map(|kind| kind.word()),
            timestamp: run.beginning().map(Into::into),
            duration: run.run_time(now).as_secs_f64(),
            lateness: run.lateness(now).as_secs_f64(),
        }
    }
}

/// How many runs are asked for: more than on other pages.
fn limit(asked: Option<i64>) -> Result<u64> {
    match asked.map(u64::try_from) {
        None => Ok(MOST_RUNS),
        Some(Ok(limit)) if limit <= MOST_RUNS => Ok(limit),
        Some(_) => Err(Error::invalid(format!(
            "Invalid limit: must be from 0 to {MOST_RUNS}."
        ))),
    }
}

pub async fn history(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(mut query): Body<Query>,
) -> Answer {
    let limit = limit(query.limit.take())?;
    query
        .sort
        .get_or_insert_with(|| "EXPECTED_START_TIME_DESC".to_owned());
    let (filters, sort, mut page) = query.parts(SORTS)?;
    page.limit = limit;
    let runs = ctx.app.flow_run_glances(filters, sort, page).await?;
    let now = ctx.app.now();
    let runs = runs.iter().map(|run| SimpleFlowRun::new(run, now));
    ok(&who, runs.collect::<Vec<_>>()).await
}

pub async fn count_task_runs(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(OfFlowRuns { flow_run_ids }): Body<OfFlowRuns>,
) -> Answer {
    let ids = bounded(flow_run_ids)?.into_iter().map(FlowRunId::from_uuid);
    let counts = ctx.app.count_task_runs_of(ids.collect()).await?;
    let counts = counts.into_iter().map(|(id, count)| (id.uuid(), count));
    ok(&who, Counts(counts.collect())).await
}

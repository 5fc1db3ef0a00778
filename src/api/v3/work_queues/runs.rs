//! The runs of queues, as workers are handed them, and how queues are.

use std::collections::HashSet;

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::access::Requester;
use crate::api::redaction::{Reader, Redact, harmless};
use crate::api::v3::extract::{Body, Id};
use crate::api::v3::wire::{FlowRun, Instant, page};
use crate::api::v3::{Answer, ok};
use crate::api::{Ctx, Operation};
use crate::app::ScheduledAsked;
use crate::domain::access::Need;
use crate::domain::error::Result;
use crate::domain::ids::{FlowRunId, WorkQueueId};

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/work_pools/{name}/get_scheduled_flow_runs",
            "Finds the runs that a worker of a pool may take",
        )
        .asks::<ScheduledQuery>()
        .lists::<WorkerFlowRun>()
        .is_routine()
        .needs(Need::Operate, scheduled),
        Operation::post(
            "/work_queues/{id}/get_runs",
            "Finds the runs of a queue that may be taken",
        )
        .asks::<QueueRunsQuery>()
        .lists::<FlowRun>()
        .is_routine()
        .needs(Need::Operate, runs),
        Operation::get("/work_queues/{id}/status", "Tells how a queue is")
            .answers::<QueueHealth>()
            .needs(Need::Read, health),
    ]
}

/// Which runs a worker asks for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduledQuery {
    /// Of these queues; none: of all of the pool.
    #[serde(default)]
    work_queue_names: Option<Vec<String>>,
    /// Due then or earlier.
    #[serde(default)]
    scheduled_before: Option<Instant>,
    /// Due then or later.
    #[serde(default)]
    scheduled_after: Option<Instant>,
    /// At most so many.
    #[serde(default)]
    limit: Option<i64>,
}

impl ScheduledQuery {
    fn asked(self) -> Result<ScheduledAsked> {
        Ok(ScheduledAsked {
            queues: self.work_queue_names.unwrap_or_default(),
            before: self.scheduled_before.map(Into::into),
            after: self.scheduled_after.map(Into::into),
            limit: page(self.limit, 0)?.limit,
        })
    }
}

/// Which runs of a queue.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueueRunsQuery {
    /// Due then or earlier.
    #[serde(default)]
    scheduled_before: Option<Instant>,
    /// At most so many.
    #[serde(default)]
    limit: Option<i64>,
}

/// A run that a worker may take.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WorkerFlowRun {
    /// Its pool.
    pub work_pool_id: Uuid,
    /// Its queue.
    pub work_queue_id: Uuid,
    /// The run.
    pub flow_run: FlowRun,
}

impl Redact for WorkerFlowRun {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        self.flow_run.runs(noted);
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            work_pool_id: _,
            work_queue_id: _,
            flow_run,
        } = self;
        flow_run.redact(reader);
    }

    fn leave_out_ours(&mut self) {
        self.flow_run.leave_out_ours();
    }
}

/// How a queue is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QueueHealth {
    /// Whether it was asked for lately and none of its runs are late.
    pub healthy: bool,
    /// How many of its runs are late.
    pub late_runs_count: u64,
    /// When a worker last asked for its runs.
    pub last_polled: Option<Instant>,
    /// What is healthy.
    pub health_check_policy: HealthPolicy,
}

/// What is healthy.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HealthPolicy {
    /// So many late runs at most.
    pub maximum_late_runs: u64,
    /// Asked for so many seconds ago at most.
    pub maximum_seconds_since_last_polled: u64,
}

harmless!(QueueHealth);

pub async fn scheduled(
    State(ctx): State<Ctx>,
    who: Requester,
    Path(pool): Path<String>,
    Body(query): Body<ScheduledQuery>,
) -> Answer {
    let found = ctx.app.scheduled_runs(&pool, query.asked()?).await?;
    let now = ctx.app.now();
    let runs = found.into_iter().map(|found| WorkerFlowRun {
        work_pool_id: found.pool.uuid(),
        work_queue_id: found.queue.uuid(),
        flow_run: FlowRun::new(found.run, now),
    });
    ok(&who, runs.collect::<Vec<_>>()).await
}

pub async fn runs(
    State(ctx): State<Ctx>,
    who: Requester,
    Id(id): Id,
    Body(query): Body<QueueRunsQuery>,
) -> Answer {
    let limit = page(query.limit, 0)?.limit;
    let before = query.scheduled_before.map(Into::into);
    let id = WorkQueueId::from_uuid(id);
    let found = ctx.app.runs_of_queue(id, before, limit).await?;
    let now = ctx.app.now();
    let runs = found.into_iter().map(|run| FlowRun::new(run, now));
    ok(&who, runs.collect::<Vec<_>>()).await
}

pub async fn health(State(ctx): State<Ctx>, who: Requester, Id(id): Id) -> Answer {
    let (queue, late) = ctx.app.late_in_queue(WorkQueueId::from_uuid(id)).await?;
    let is_ready = ctx.app.service().of_queue(&queue).word() == "READY";
    let health = QueueHealth {
        healthy: is_ready && late == 0,
        late_runs_count: late,
        last_polled: queue.last_polled.map(Into::into),
        health_check_policy: HealthPolicy {
            maximum_late_runs: 0,
            maximum_seconds_since_last_polled: 60,
        },
    };
    ok(&who, health).await
}

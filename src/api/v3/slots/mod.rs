//! Routes of the slots of pools and queues: who holds them.

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::extract::{Body, Id};
use super::wire::{Instant, limit};
use super::{Answer, ok};
use crate::api::access::Requester;
use crate::api::redaction::{Reader, Redact};
use crate::api::{Ctx, Operation};
use crate::app::{PoolSlots, QueueSlots};
use crate::domain::access::Need;
use crate::domain::error::{Error, Result};
use crate::domain::filter::{MAX_PAGE, Page};
use crate::domain::glance::Glance;
use crate::domain::ids::WorkQueueId;
use crate::domain::time::{Span, Timestamp};

/// How many runs of a queue are told where nobody says it.
const FEW_RUNS: u64 = 10;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/work_pools/{name}/concurrency_status",
            "Tells who holds the slots of a pool",
        )
        .asks::<PoolQuery>()
        .answers::<PoolStatus>()
        .needs(Need::Read, of_pool),
        Operation::post(
            "/work_queues/{id}/concurrency_status",
            "Tells who holds the slots of a queue",
        )
        .asks::<QueueQuery>()
        .answers::<QueueStatus>()
        .needs(Need::Read, of_queue),
    ]
}

/// Which queues of a pool, and how many runs of each.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct PoolQuery {
    /// Which page of the queues, from 1.
    page: Option<u64>,
    /// At most so many on a page.
    limit: Option<i64>,
    /// At most so many runs of a queue, up to 200.
    flow_run_limit: Option<u64>,
}

/// Which runs of a queue.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct QueueQuery {
    /// Which page, from 1.
    page: Option<u64>,
    /// At most so many on a page.
    limit: Option<i64>,
}

/// A run that holds a slot. Times of length are seconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct SlotHolder {
    id: Uuid,
    name: String,
    state_type: Option<&'static str>,
    state_name: Option<String>,
    start_time: Option<Instant>,
    state_timestamp: Option<Instant>,
    time_in_current_state: Option<f64>,
}

/// A queue and who holds its slots.
#[derive(Debug, Serialize, ToSchema)]
pub struct InQueue {
    queue_id: Uuid,
    queue_name: String,
    active_slots: u64,
    concurrency_limit: Option<i64>,
    flow_runs: Vec<SlotHolder>,
    flow_run_count: u64,
}

/// A pool and who holds its slots, by queue.
#[derive(Debug, Serialize, ToSchema)]
pub struct PoolStatus {
    active_slots: u64,
    concurrency_limit: Option<i64>,
    queues: Vec<InQueue>,
    count: u64,
    limit: u64,
    pages: u64,
    page: u64,
}

/// A queue and who holds its slots, page by page.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueueStatus {
    active_slots: u64,
    concurrency_limit: Option<i64>,
    flow_runs: Vec<SlotHolder>,
    count: u64,
    limit: u64,
    pages: u64,
    page: u64,
}

impl SlotHolder {
    fn new(run: Glance, now: Timestamp) -> Self {
        Self {
            id: run.id.uuid(),
            name: run.name,
            state_type: run.kind.map(|kind| kind.word()),
            state_name: run.state_name,
            start_time: run.start_time.map(Into::into),
            state_timestamp: run.since.map(Into::into),
            time_in_current_state: run.since.map(|since| Span::as_secs_f64(now - since)),
        }
    }

    fn all(runs: Vec<Glance>, now: Timestamp) -> Vec<Self> {
        runs.into_iter().map(|run| Self::new(run, now)).collect()
    }
}

impl InQueue {
    fn new(slots: QueueSlots, now: Timestamp) -> Self {
        let QueueSlots { queue, taken, runs } = slots;
        Self {
            queue_id: queue.id.uuid(),
            queue_name: queue.name,
            active_slots: taken,
            concurrency_limit: queue.concurrency_limit,
            flow_runs: SlotHolder::all(runs, now),
            flow_run_count: taken,
        }
    }
}

impl Redact for SlotHolder {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id: _,
            name,
            state_type: _,
            state_name,
            start_time: _,
            state_timestamp: _,
            time_in_current_state: _,
        } = self;
        let mask = reader.of_nobody();
        mask.over(name);
        mask.over(state_name);
    }
}

impl Redact for PoolStatus {
    fn redact(&mut self, reader: &Reader<'_>) {
        let mask = reader.of_nobody();
        for queue in &mut self.queues {
            let InQueue {
                queue_id: _,
                queue_name,
                active_slots: _,
                concurrency_limit: _,
                flow_runs,
                flow_run_count: _,
            } = queue;
            mask.over(queue_name);
            flow_runs.redact(reader);
        }
    }
}

impl Redact for QueueStatus {
    fn redact(&mut self, reader: &Reader<'_>) {
        self.flow_runs.redact(reader);
    }
}

/// The page of that number, from 1, and its number.
fn page(number: Option<u64>, asked: Option<i64>) -> Result<(Page, u64)> {
    let number = number.unwrap_or(1);
    let limit = limit(asked)?;
    let before = number.checked_sub(1);
    let before = before.ok_or_else(|| Error::invalid("Pages are counted from 1."))?;
    let offset = before.saturating_mul(limit).min(i64::MAX.unsigned_abs());
    Ok((Page { limit, offset }, number))
}

fn pages(count: u64, limit: u64) -> u64 {
    match limit {
        0 => 0,
        limit => count.div_ceil(limit),
    }
}

pub async fn of_pool(
    State(ctx): State<Ctx>,
    who: Requester,
    Path(name): Path<String>,
    Body(query): Body<PoolQuery>,
) -> Answer {
    let (page, number) = page(query.page, query.limit)?;
    let most = query.flow_run_limit.unwrap_or(FEW_RUNS);
    if most > MAX_PAGE {
        let words = format!("flow_run_limit must be at most {MAX_PAGE}.");
        return Err(Error::invalid(words).into());
    }
    let PoolSlots {
        pool,
        taken,
        queues,
        some,
    } = ctx.app.pool_slots(name, page, most).await?;
    let now = ctx.app.now();
    let status = PoolStatus {
        active_slots: taken,
        concurrency_limit: pool.concurrency_limit,
        queues: some.into_iter().map(|one| InQueue::new(one, now)).collect(),
        count: queues,
        limit: page.limit,
        pages: pages(queues, page.limit),
        page: number,
    };
    ok(&who, status).await
}

pub async fn of_queue(
    State(ctx): State<Ctx>,
    who: Requester,
    Id(id): Id,
    Body(query): Body<QueueQuery>,
) -> Answer {
    let (page, number) = page(query.page, query.limit)?;
    let slots = ctx
        .app
        .queue_slots(WorkQueueId::from_uuid(id), page)
        .await?;
    let QueueSlots { queue, taken, runs } = slots;
    let status = QueueStatus {
        active_slots: taken,
        concurrency_limit: queue.concurrency_limit,
        flow_runs: SlotHolder::all(runs, ctx.app.now()),
        count: taken,
        limit: page.limit,
        pages: pages(taken, page.limit),
        page: number,
    };
    ok(&who, status).await
}

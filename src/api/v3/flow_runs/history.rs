//! Routes that look back: histories, and how late runs are.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::access::Requester;
use crate::api::redaction::{Reader, Redact};
use crate::api::v3::extract::Body;
use crate::api::v3::wire::{HistoryQuery, Instant, Query};
use crate::api::v3::{Answer, ok};
use crate::api::{Ctx, Operation};
use crate::domain::access::Need;
use crate::domain::history::{Buckets, Tally};
use crate::domain::time::Span;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/flow_runs/history", "Flow runs by time and state")
            .asks::<HistoryQuery>()
            .lists::<Bucket>()
            .needs(Need::Read, history),
        Operation::post("/task_runs/history", "Task runs by time and state")
            .asks::<HistoryQuery>()
            .lists::<Bucket>()
            .needs(Need::Read, task_run_history),
        Operation::post("/flow_runs/lateness", "How late flow runs are on average")
            .asks::<Query>()
            .tells("number")
            .needs(Need::Read, lateness),
    ]
}

/// One part of a history. Times of length are seconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct Bucket {
    interval_start: Instant,
    interval_end: Instant,
    states: Vec<InState>,
}

#[derive(Debug, Serialize, ToSchema)]
struct InState {
    state_type: &'static str,
    state_name: String,
    count_runs: i64,
    sum_estimated_run_time: f64,
    sum_estimated_lateness: f64,
}

impl Redact for Bucket {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            interval_start: _,
            interval_end: _,
            states,
        } = self;
        let mask = reader.of_nobody();
        states
            .iter_mut()
            .for_each(|state| mask.over(&mut state.state_name));
    }
}

/// Every part with what is in it, empty ones included.
fn buckets_out(buckets: Buckets, tallies: Vec<Tally>) -> Vec<Bucket> {
    let mut out: Vec<_> = buckets
        .each()
        .map(|(_, start, end)| Bucket {
            interval_start: start.into(),
            interval_end: end.into(),
            states: Vec::new(),
        })
        .collect();
    for tally in tallies {
        let at = usize::try_from(tally.bucket).ok();
        if let Some(bucket) = at.and_then(|at| out.get_mut(at)) {
            bucket.states.push(InState {
                state_type: tally.kind.word(),
                state_name: tally.name,
                count_runs: tally.count,
                sum_estimated_run_time: tally.run_time.as_secs_f64(),
                sum_estimated_lateness: tally.lateness.as_secs_f64(),
            });
        }
    }
    out
}

pub async fn history(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(asked): Body<HistoryQuery>,
) -> Answer {
    let (buckets, filters) = asked.parts()?;
    let tallies = ctx.app.flow_run_history(filters, buckets).await?;
    ok(&who, buckets_out(buckets, tallies)).await
}

pub async fn task_run_history(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(asked): Body<HistoryQuery>,
) -> Answer {
    let (buckets, filters) = asked.parts()?;
    let tallies = ctx.app.task_run_history(filters, buckets).await?;
    ok(&who, buckets_out(buckets, tallies)).await
}

pub async fn lateness(State(ctx): State<Ctx>, who: Requester, Body(query): Body<Query>) -> Answer {
    let average = ctx.app.average_lateness(query.filters()?).await?;
    ok(&who, average.map(Span::as_secs_f64)).await
}

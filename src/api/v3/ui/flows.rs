//! What belongs to flows, as lists of them show it.

use std::collections::BTreeMap;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Counts, OfFlows, bounded};
use crate::api::access::Requester;
use crate::api::redaction::{Reader, Redact};
use crate::api::v3::extract::Body;
use crate::api::v3::wire::Instant;
use crate::api::v3::{Answer, ok};
use crate::api::{Ctx, Operation};
use crate::domain::access::Need;
use crate::domain::glance::Glance;
use crate::domain::ids::FlowId;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/ui/flows/count-deployments",
            "Counts the deployments of flows",
        )
        .asks::<OfFlows>()
        .answers::<Counts>()
        .needs(Need::Read, count_deployments),
        Operation::post("/ui/flows/next-runs", "Finds what flows run next")
            .asks::<OfFlows>()
            .answers::<NextRuns>()
            .needs(Need::Read, next_runs),
    ]
}

/// The next run of each flow, by the flow's id.
#[derive(Debug, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object)]
pub struct NextRuns(BTreeMap<Uuid, Option<NextRun>>);

/// A run that is due.
#[derive(Debug, Serialize, ToSchema)]
pub struct NextRun {
    id: Uuid,
    flow_id: Uuid,
    name: String,
    state_name: String,
    state_type: &'static str,
    next_scheduled_start_time: Option<Instant>,
}

impl From<Glance> for NextRun {
    fn from(run: Glance) -> Self {
        Self {
            id: run.id.uuid(),
            flow_id: run.flow_id.uuid(),
            name: run.name,
            state_name: run.state_name.unwrap_or_default(),
            state_type: run.kind.map_or("", |kind| kind.word()),
            next_scheduled_start_time: run.next_scheduled_start_time.map(Into::into),
        }
    }
}

impl Redact for NextRuns {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self(runs) = self;
        let mask = reader.of_nobody();
        for run in runs.values_mut().flatten() {
            let NextRun {
                id: _,
                flow_id: _,
                name,
                state_name,
                state_type: _,
                next_scheduled_start_time: _,
            } = run;
            mask.over(name);
            mask.over(state_name);
        }
    }
}

fn flow_ids(OfFlows { flow_ids }: OfFlows) -> crate::domain::error::Result<Vec<FlowId>> {
    let ids = bounded(flow_ids)?.into_iter();
    Ok(ids.map(FlowId::from_uuid).collect())
}

pub async fn count_deployments(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(asked): Body<OfFlows>,
) -> Answer {
    let counts = ctx.app.count_deployments_of(flow_ids(asked)?).await?;
    let counts = counts.into_iter().map(|(id, count)| (id.uuid(), count));
    ok(&who, Counts(counts.collect())).await
}

pub async fn next_runs(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(asked): Body<OfFlows>,
) -> Answer {
    let found = ctx.app.next_runs_of(flow_ids(asked)?).await?.into_iter();
    let runs = found.map(|(id, run)| (id.uuid(), run.map(NextRun::from)));
    ok(&who, NextRuns(runs.collect())).await
}

//! Why a run is not further than it is.

pub mod wire;

use axum::extract::State;

use super::extract::Id;
use super::{Answer, ok};
use crate::api::Ctx;
use crate::api::Operation;
use crate::api::access::Requester;
use crate::domain::access::Need;
use crate::domain::ids::FlowRunId;
use wire::Why;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/prefectd/flow_runs/{id}/why",
            "Tells why a run is not further than it is",
        )
        .answers::<Why>()
        .needs(Need::Inspect, why),
    ]
}

pub async fn why(State(ctx): State<Ctx>, who: Requester, Id(id): Id) -> Answer {
    ok(&who, Why::from(ctx.why(FlowRunId::from_uuid(id)).await?)).await
}

//! Why a run is not further than it is.

pub mod wire;

use axum::extract::State;
use axum::routing::get;

use super::extract::Id;
use super::{Answer, ok};
use crate::api::Ctx;
use crate::api::access::Need;
use crate::api::describe::{Routes, Talk};
use crate::domain::ids::FlowRunId;
use wire::Why;

/// What there is to ask.
pub fn routes(routes: Routes) -> Routes {
    routes.add(
        "GET /prefectd/flow_runs/{id}/why",
        "Tells why a run is not further than it is",
        Talk::one::<Why>().needs(Need::Inspect),
        get(why),
    )
}

pub async fn why(State(ctx): State<Ctx>, Id(id): Id) -> Answer {
    ok(Why::from(ctx.app.why(FlowRunId::from_uuid(id)).await?))
}

//! Why a run is not further than it is.

pub mod wire;

use axum::extract::State;

use super::extract::Id;
use super::{Answer, ok};
use crate::api::Ctx;
use crate::api::Operation;
use crate::api::access::Requester;
use crate::domain::access::Need;
use crate::domain::error::Error;
use crate::domain::ids::FlowRunId;
use crate::domain::why::Code;
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
    let id = FlowRunId::from_uuid(id);
    let mut why = ctx.app.why(id).await?;
    if why.code == Code::Starting
        && let Some(told) = ctx.host.unplaced(made_for(&ctx, id).await?).await
    {
        why = why.on_cluster(&told);
    }
    ok(&who, Why::from(why)).await
}

/// What was made for a run.
async fn made_for(ctx: &Ctx, id: FlowRunId) -> Result<Option<String>, Error> {
    let run = ctx.app.flow_run(id).await?;
    Ok(run.claim.and_then(|claim| claim.infrastructure_id))
}

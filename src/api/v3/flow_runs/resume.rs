//! The route by which a paused run goes on.

use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::access::Requester;
use crate::api::v3::client::Known;
use crate::api::v3::extract::{Aimed, AimedBody};
use crate::api::v3::states::decided;
use crate::api::v3::wire::Decision;
use crate::api::v3::{Answer, ok};
use crate::api::{Ctx, Operation};
use crate::app::Resumed;
use crate::domain::JsonMap;
use crate::domain::error::Error;
use crate::domain::ids::FlowRunId;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/flow_runs/{id}/resume", "Has a paused flow run go on")
            .asks::<Resume>()
            .makes::<Decision>()
            .aims(resume),
    ]
}

/// What a paused run is given.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct Resume {
    /// What it waits for, as its schema says.
    #[schema(value_type = Option<Object>)]
    run_input: Option<JsonMap>,
}

impl AimedBody for Resume {
    type Meaning = JsonMap;

    fn meaning(self) -> Result<JsonMap, Error> {
        Ok(self.run_input.unwrap_or_default())
    }
}

pub async fn resume(
    State(ctx): State<Ctx>,
    who: Requester,
    Known(client): Known,
    Aimed { at, asked }: Aimed<Resume, FlowRunId>,
) -> Answer {
    match ctx.app.resume_flow_run(at, asked, client).await? {
        Resumed::Decided(decision) => decided(&who, &decision).await,
        Resumed::Unfit { why, paused } => ok(&who, Decision::unfit(&why, &paused)).await,
    }
}

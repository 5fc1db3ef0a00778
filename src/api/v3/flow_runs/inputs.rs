//! Routes of what is handed to runs.

use std::collections::HashSet;

use axum::extract::{RawPathParams, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::access::Requester;
use crate::api::redaction::{Reader, Redact};
use crate::api::v3::extract::{Aimed, AimedBody, Body, Id};
use crate::api::v3::wire::Instant;
use crate::api::v3::{Answer, no_content, ok};
use crate::api::{Ctx, Operation};
use crate::domain::access::{AtPath, Need};
use crate::domain::error::Error;
use crate::domain::ids::{FlowRunId, RunInputId};
use crate::domain::run_input::{self, NewRunInput};

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/flow_runs/{id}/input", "Hands something to a flow run")
            .asks::<RunInputCreate>()
            .makes::<()>()
            .aims(create),
        Operation::post(
            "/flow_runs/{id}/input/filter",
            "Finds what was handed to a flow run",
        )
        .asks::<RunInputQuery>()
        .lists::<RunInput>()
        .needs(Need::Read, filter),
        Operation::get(
            "/flow_runs/{id}/input/{key}",
            "Reads what was handed to a flow run",
        )
        .tells("string")
        .needs(Need::Read, read),
        Operation::delete(
            "/flow_runs/{id}/input/{key}",
            "Deletes what was handed to a flow run",
        )
        .is_silent()
        .aims(delete),
    ]
}

/// Something handed to a run.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RunInput {
    id: Uuid,
    created: Instant,
    updated: Instant,
    flow_run_id: Uuid,
    key: String,
    value: String,
    sender: Option<String>,
}

impl From<run_input::RunInput> for RunInput {
    fn from(input: run_input::RunInput) -> Self {
        let run_input::RunInput {
            id,
            created,
            updated,
            flow_run_id,
            key,
            value,
            sender,
        } = input;
        Self {
            id: RunInputId::uuid(id),
            created: created.into(),
            updated: updated.into(),
            flow_run_id: flow_run_id.uuid(),
            key,
            value,
            sender,
        }
    }
}

impl Redact for RunInput {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        noted.insert(FlowRunId::from_uuid(self.flow_run_id));
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id: _,
            created: _,
            updated: _,
            flow_run_id,
            key,
            value,
            sender,
        } = self;
        let mask = reader.within_flow_run(Some(FlowRunId::from_uuid(*flow_run_id)));
        mask.over(key);
        mask.over(value);
        mask.over(sender);
    }
}

/// Something to be handed to a run.
#[derive(Debug, Deserialize, ToSchema)]
pub struct RunInputCreate {
    /// Names it within the run.
    key: String,
    /// What it is.
    value: String,
    /// Who hands it in.
    #[serde(default)]
    sender: Option<String>,
}

impl AimedBody for RunInputCreate {
    type Meaning = NewRunInput;

    fn meaning(self) -> Result<NewRunInput, Error> {
        let Self { key, value, sender } = self;
        Ok(NewRunInput { key, value, sender })
    }
}

/// Which inputs of a run are asked for.
#[derive(Debug, Deserialize, ToSchema)]
pub struct RunInputQuery {
    /// How their keys begin.
    prefix: String,
    /// At most so many.
    #[serde(default = "one")]
    limit: u64,
    /// But for these keys.
    #[serde(default, deserialize_with = "crate::api::v3::wire::or_default")]
    exclude_keys: Vec<String>,
}

fn one() -> u64 {
    1
}

pub async fn create(
    State(ctx): State<Ctx>,
    who: Requester,
    Aimed { at, asked }: Aimed<RunInputCreate, FlowRunId>,
) -> Answer {
    ctx.app.create_run_input(at, asked).await?;
    Ok(who.told(StatusCode::CREATED, ()).await?)
}

pub async fn filter(
    State(ctx): State<Ctx>,
    who: Requester,
    Id(id): Id,
    Body(query): Body<RunInputQuery>,
) -> Answer {
    let RunInputQuery {
        prefix,
        limit,
        exclude_keys,
    } = query;
    let id = FlowRunId::from_uuid(id);
    let found = ctx.app.run_inputs(id, prefix, exclude_keys, limit).await?;
    ok(
        &who,
        found.into_iter().map(RunInput::from).collect::<Vec<_>>(),
    )
    .await
}

/// The value as it was handed in, as plain text.
pub async fn read(
    State(ctx): State<Ctx>,
    who: Requester,
    Id(id): Id,
    params: RawPathParams,
) -> Answer {
    let found = ctx.app.run_input(FlowRunId::from_uuid(id), key(&params));
    let input = who.masked(RunInput::from(found.await?)).await?;
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((kind, input.value).into_response())
}

/// A body that says nothing.
#[derive(Debug, Deserialize)]
pub struct Nothing {}

impl AimedBody for Nothing {
    type Meaning = AtPath;

    fn meaning(self) -> Result<AtPath, Error> {
        Ok(AtPath)
    }
}

pub async fn delete(
    State(ctx): State<Ctx>,
    params: RawPathParams,
    Aimed { at, .. }: Aimed<Nothing, FlowRunId>,
) -> Answer {
    ctx.app.delete_run_input(at, key(&params)).await?;
    no_content()
}

/// The key in the path.
fn key(params: &RawPathParams) -> String {
    let key = params.iter().find(|(name, _)| *name == "key");
    key.map(|(_, value)| value.to_owned()).unwrap_or_default()
}

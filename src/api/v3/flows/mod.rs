//! Routes of flows.

pub mod wire;

use axum::extract::{Path, State};
use axum::http::header::USER_AGENT;
use axum::http::{HeaderMap, Uri};

use super::extract::{Body, Id};
use super::wire::Query;
use super::{Answer, created, no_content, ok};
use crate::api::Ctx;
use crate::api::access::Need;
use crate::api::describe::{Routes, Talk};
use crate::app::Force;
use crate::domain::ids::FlowId;
use axum::routing::{get, post};
use wire::{Flow, FlowCreate};

/// What there is to ask.
pub fn routes(routes: Routes) -> Routes {
    routes
        .add(
            "POST /flows/",
            "Creates a flow, or answers the one that is there",
            Talk::made::<Flow>()
                .asks::<FlowCreate>()
                .needs(Need::RegisterFlow),
            post(create),
        )
        .add(
            "POST /flows/filter",
            "Finds flows",
            Talk::many::<Flow>().asks::<Query>().needs(Need::Read),
            post(filter),
        )
        .add(
            "POST /flows/count",
            "Counts flows",
            Talk::plain("integer").asks::<Query>().needs(Need::Read),
            post(count),
        )
        .add(
            "GET /flows/{id}",
            "Reads a flow",
            Talk::one::<Flow>().needs(Need::Read),
            get(read),
        )
        .add(
            "DELETE /flows/{id}",
            "Deletes a flow; one that has deployments only with ?force=true",
            Talk::silent(),
            axum::routing::delete(delete),
        )
        .add(
            "GET /flows/name/{name}",
            "Reads a flow by its name",
            Talk::one::<Flow>().needs(Need::Read),
            get(read_by_name),
        )
}

pub async fn create(State(ctx): State<Ctx>, Body(create): Body<FlowCreate>) -> Answer {
    created(ctx.app.create_flow(create.into()).await?, Flow::from)
}

pub async fn read(State(ctx): State<Ctx>, Id(id): Id) -> Answer {
    ok(Flow::from(ctx.app.flow(FlowId::from_uuid(id)).await?))
}

pub async fn read_by_name(State(ctx): State<Ctx>, Path(name): Path<String>) -> Answer {
    ok(Flow::from(ctx.app.flow_by_name(&name).await?))
}

pub async fn filter(State(ctx): State<Ctx>, Body(query): Body<Query>) -> Answer {
    let (filters, _, page) = query.parts()?;
    let flows = ctx.app.flows(filters, page).await?;
    ok(flows.into_iter().map(Flow::from).collect::<Vec<_>>())
}

pub async fn count(State(ctx): State<Ctx>, Body(query): Body<Query>) -> Answer {
    ok(ctx.app.count_flows(query.parts()?.0).await?)
}

/// A flow that has deployments is deleted only with `?force=true`, but for Prefect's own
/// clients, which know no such parameter.
pub async fn delete(State(ctx): State<Ctx>, Id(id): Id, uri: Uri, headers: HeaderMap) -> Answer {
    let forced = uri
        .query()
        .is_some_and(|query| query.split('&').any(|pair| pair == "force=true"));
    let agent = headers
        .get(USER_AGENT)
        .and_then(|value| value.to_str().ok());
    let is_prefect = agent.is_some_and(|agent| agent.starts_with("prefect/"));
    let force = match forced || is_prefect {
        true => Force::Yes,
        false => Force::No,
    };
    ctx.app.delete_flow(FlowId::from_uuid(id), force).await?;
    no_content()
}

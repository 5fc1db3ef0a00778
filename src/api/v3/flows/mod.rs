//! Routes of flows.

pub mod wire;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};

use super::extract::{Body, Id, in_query};
use super::wire::{PageQuery, Paginated, Query};
use super::{Answer, created, no_content, ok};
use crate::api::Ctx;
use crate::api::Operation;
use crate::api::access::Requester;
use crate::api::client::is_prefect;
use crate::app::Force;
use crate::domain::access::Need;
use crate::domain::filter::NAMED_SORTS;
use crate::domain::ids::FlowId;
use wire::{Flow, FlowCreate, FlowUpdate};

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/flows/",
            "Creates a flow, or answers the one that is there",
        )
        .asks::<FlowCreate>()
        .makes::<Flow>()
        .needs(Need::Register, create),
        Operation::post("/flows/filter", "Finds flows")
            .asks::<Query>()
            .lists::<Flow>()
            .needs(Need::Read, filter),
        Operation::post("/flows/count", "Counts flows")
            .asks::<Query>()
            .tells("integer")
            .needs(Need::Read, count),
        Operation::post("/flows/paginate", "Finds flows, page by page")
            .asks::<PageQuery>()
            .answers::<Paginated<Flow>>()
            .needs(Need::Read, paginate),
        Operation::get("/flows/{id}", "Reads a flow")
            .answers::<Flow>()
            .needs(Need::Read, read),
        Operation::patch("/flows/{id}", "Changes a flow")
            .asks::<FlowUpdate>()
            .is_silent()
            .needs(Need::Operate, update),
        Operation::delete(
            "/flows/{id}",
            "Deletes a flow; one that has deployments only with ?force=true",
        )
        .is_silent()
        .needs(Need::Operate, delete),
        Operation::get("/flows/name/{name}", "Reads a flow by its name")
            .answers::<Flow>()
            .needs(Need::Read, read_by_name),
    ]
}

pub async fn create(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(create): Body<FlowCreate>,
) -> Answer {
    created(&who, ctx.app.create_flow(create.into()).await?, Flow::from).await
}

pub async fn read(State(ctx): State<Ctx>, who: Requester, Id(id): Id) -> Answer {
    ok(&who, Flow::from(ctx.app.flow(FlowId::from_uuid(id)).await?)).await
}

pub async fn read_by_name(
    State(ctx): State<Ctx>,
    who: Requester,
    Path(name): Path<String>,
) -> Answer {
    ok(&who, Flow::from(ctx.app.flow_by_name(&name).await?)).await
}

pub async fn filter(State(ctx): State<Ctx>, who: Requester, Body(query): Body<Query>) -> Answer {
    let (filters, sort, page) = query.parts(NAMED_SORTS)?;
    let flows = ctx.app.flows(filters, sort, page).await?;
    ok(&who, flows.into_iter().map(Flow::from).collect::<Vec<_>>()).await
}

pub async fn paginate(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(query): Body<PageQuery>,
) -> Answer {
    let (filters, sort, page, number) = query.parts(NAMED_SORTS)?;
    let count = ctx.app.count_flows(filters.clone()).await?;
    let flows = ctx.app.flows(filters, sort, page).await?;
    let flows = flows.into_iter().map(Flow::from).collect();
    ok(&who, Paginated::new(flows, count, page.limit, number)).await
}

pub async fn count(State(ctx): State<Ctx>, who: Requester, Body(query): Body<Query>) -> Answer {
    ok(&who, ctx.app.count_flows(query.filters()?).await?).await
}

pub async fn update(State(ctx): State<Ctx>, Id(id): Id, Body(update): Body<FlowUpdate>) -> Answer {
    let FlowUpdate { tags } = update;
    ctx.app.update_flow(FlowId::from_uuid(id), tags).await?;
    no_content()
}

/// A flow that has deployments is deleted only with `?force=true`, but for Prefect's own
/// clients, which know no such parameter.
pub async fn delete(State(ctx): State<Ctx>, Id(id): Id, uri: Uri, headers: HeaderMap) -> Answer {
    let forced = in_query(&uri, "force").is_some_and(|value| value == "true");
    let force = match forced || is_prefect(&headers) {
        true => Force::Yes,
        false => Force::No,
    };
    ctx.app.delete_flow(FlowId::from_uuid(id), force).await?;
    no_content()
}

//! Routes of flows.

use axum::extract::State;

use super::super::Ctx;
use super::request_reader::RequestReader;
use super::shapes::{FILTERS, filtered, like};
use super::wire::{self, FlowOut};
use super::{Answer, created, no_content, ok};
use crate::api::Operation;
use crate::api::access::Requester;
use crate::app::Force;
use crate::domain::access::Need;
use crate::domain::filter::Sort;
use crate::domain::ids::FlowId;

/// What there is to request.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/flows/",
            "Creates a flow, or answers the one that is there",
        )
        .asks_like(like("name: string, tags?: [string]"))
        .makes::<FlowOut>()
        .needs(Need::Register, create),
        Operation::post("/flows/filter", "Finds flows")
            .asks_like(filtered("limit?: integer, offset?: integer"))
            .lists::<FlowOut>()
            .needs(Need::Read, filter),
        Operation::post("/flows/count", "Counts flows")
            .asks_like(like(FILTERS))
            .tells("integer")
            .needs(Need::Read, count),
        Operation::get("/flows/name/{name}", "Reads a flow by its name")
            .answers::<FlowOut>()
            .needs(Need::Read, read_by_name),
        Operation::get("/flows/{id}", "Reads a flow")
            .answers::<FlowOut>()
            .needs(Need::Read, read),
        Operation::patch("/flows/{id}", "Changes a flow")
            .asks_like(like("tags?: [string]"))
            .is_silent()
            .needs(Need::Operate, update),
        Operation::delete("/flows/{id}", "Deletes a flow")
            .is_silent()
            .needs(Need::Operate, delete),
    ]
}

pub async fn create(State(ctx): State<Ctx>, who: Requester, mut request: RequestReader) -> Answer {
    let new = request.body(wire::new_flow);
    let flow = ctx.app.create_flow(request.done(new)?).await?;
    created(&who, &flow, FlowOut::from(flow.get())).await
}

pub async fn read(State(ctx): State<Ctx>, who: Requester, mut request: RequestReader) -> Answer {
    let id = request.id(FlowId::from_uuid);
    let flow = ctx.app.flow(request.done(id)?).await?;
    ok(&who, FlowOut::from(&flow)).await
}

pub async fn read_by_name(
    State(ctx): State<Ctx>,
    who: Requester,
    request: RequestReader,
) -> Answer {
    let flow = ctx.app.flow_by_name(&request.param("name")).await?;
    ok(&who, FlowOut::from(&flow)).await
}

pub async fn filter(State(ctx): State<Ctx>, who: Requester, mut request: RequestReader) -> Answer {
    let asked = request.embedded(|fields| {
        let page = wire::page(fields);
        let filters = wire::filters(fields);
        page.zip(filters)
    });
    let (page, filters) = request.done(asked)?;
    let flows = ctx.app.flows(filters, Sort::NAME, page).await?;
    ok(&who, flows.iter().map(FlowOut::from).collect::<Vec<_>>()).await
}

pub async fn count(State(ctx): State<Ctx>, who: Requester, mut request: RequestReader) -> Answer {
    let filters = request.embedded(wire::filters);
    ok(&who, ctx.app.count_flows(request.done(filters)?).await?).await
}

pub async fn update(State(ctx): State<Ctx>, mut request: RequestReader) -> Answer {
    let asked = request
        .id(FlowId::from_uuid)
        .zip(request.body(wire::flow_tags));
    let (id, tags) = request.done(asked)?;
    ctx.app.update_flow(id, tags).await?;
    no_content()
}

pub async fn delete(State(ctx): State<Ctx>, mut request: RequestReader) -> Answer {
    let id = request.id(FlowId::from_uuid);
    ctx.app.delete_flow(request.done(id)?, Force::Yes).await?;
    no_content()
}

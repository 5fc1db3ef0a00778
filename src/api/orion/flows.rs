//! Routes of flows.

use axum::extract::State;

use super::super::Ctx;
use super::ask::Ask;
use super::wire::{self, FlowOut};
use super::{Answer, created, no_content, ok};
use crate::app::Force;
use crate::domain::ids::FlowId;

pub async fn create(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let new = ask.body(wire::new_flow);
    let flow = ctx.app.create_flow(ask.done(new)?).await?;
    created(&flow, FlowOut::from(flow.get()))
}

pub async fn read(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let id = ask.id(FlowId::from_uuid);
    let flow = ctx.app.flow(ask.done(id)?).await?;
    ok(FlowOut::from(&flow))
}

pub async fn read_by_name(State(ctx): State<Ctx>, ask: Ask) -> Answer {
    let flow = ctx.app.flow_by_name(&ask.param("name")).await?;
    ok(FlowOut::from(&flow))
}

pub async fn filter(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let asked = ask.embedded(|fields| {
        let page = wire::page(fields);
        let filters = wire::filters(fields);
        page.zip(filters)
    });
    let (page, filters) = ask.done(asked)?;
    let flows = ctx.app.flows(filters, page).await?;
    ok(flows.iter().map(FlowOut::from).collect::<Vec<_>>())
}

pub async fn count(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let filters = ask.embedded(wire::filters);
    ok(ctx.app.count_flows(ask.done(filters)?).await?)
}

pub async fn update(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let asked = ask.id(FlowId::from_uuid).zip(ask.body(wire::flow_tags));
    let (id, tags) = ask.done(asked)?;
    ctx.app.update_flow(id, tags).await?;
    no_content()
}

pub async fn delete(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let id = ask.id(FlowId::from_uuid);
    ctx.app.delete_flow(ask.done(id)?, Force::Yes).await?;
    no_content()
}

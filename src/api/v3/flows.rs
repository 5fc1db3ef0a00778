//! Routes of flows.

use axum::extract::{Path, State};

use super::super::Ctx;
use super::extract::{Body, Id};
use super::wire::{Flow, FlowCreate, Query};
use super::{Answer, created, no_content, ok};
use crate::domain::ids::FlowId;

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

pub async fn delete(State(ctx): State<Ctx>, Id(id): Id) -> Answer {
    ctx.app.delete_flow(FlowId::from_uuid(id)).await?;
    no_content()
}

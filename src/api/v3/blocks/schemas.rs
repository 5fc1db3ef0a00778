//! Routes of schemas of blocks.

use axum::extract::{Path, Request, State};

use super::filter::SchemaQuery;
use super::wire::{BlockSchema, BlockSchemaCreate};
use crate::api::access::Requester;
use crate::api::v3::extract::{Body, Id, in_query};
use crate::api::v3::{Answer, created, no_content, ok};
use crate::api::{Ctx, Operation};
use crate::domain::access::Need;
use crate::domain::ids::BlockSchemaId;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/block_schemas/",
            "Keeps a schema of blocks, or answers the one that is there",
        )
        .asks::<BlockSchemaCreate>()
        .makes::<BlockSchema>()
        .needs(Need::Set, create),
        Operation::post("/block_schemas/filter", "Finds schemas of blocks")
            .asks::<SchemaQuery>()
            .lists::<BlockSchema>()
            .needs(Need::Read, filter),
        Operation::get("/block_schemas/{id}", "Reads a schema of blocks")
            .answers::<BlockSchema>()
            .needs(Need::Read, read),
        Operation::delete("/block_schemas/{id}", "Deletes a schema with its blocks")
            .is_silent()
            .needs(Need::Operate, delete),
        Operation::get(
            "/block_schemas/checksum/{checksum}",
            "Reads a schema of blocks by its checksum",
        )
        .asks_query("version")
        .answers::<BlockSchema>()
        .needs(Need::Read, read_by_checksum),
        Operation::get("/block_capabilities/", "Tells what blocks can do")
            .tells("array")
            .needs(Need::Read, capabilities),
    ]
}

pub async fn create(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(create): Body<BlockSchemaCreate>,
) -> Answer {
    let made = ctx.app.create_block_schema(create.into()).await?;
    created(&who, made, BlockSchema::from).await
}

pub async fn filter(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(query): Body<SchemaQuery>,
) -> Answer {
    let (filters, page) = query.parts()?;
    let found = ctx.app.block_schemas(filters, page).await?.into_iter();
    ok(&who, found.map(BlockSchema::from).collect::<Vec<_>>()).await
}

pub async fn read(State(ctx): State<Ctx>, who: Requester, Id(id): Id) -> Answer {
    let schema = ctx.app.block_schema(BlockSchemaId::from_uuid(id)).await?;
    ok(&who, BlockSchema::from(schema)).await
}

pub async fn read_by_checksum(
    State(ctx): State<Ctx>,
    who: Requester,
    Path(checksum): Path<String>,
    request: Request,
) -> Answer {
    let version = in_query(request.uri(), "version").map(std::borrow::Cow::into_owned);
    let schema = ctx.app.block_schema_of(checksum, version).await?;
    ok(&who, BlockSchema::from(schema)).await
}

pub async fn delete(State(ctx): State<Ctx>, Id(id): Id) -> Answer {
    let id = BlockSchemaId::from_uuid(id);
    ctx.app.delete_block_schema(id).await?;
    no_content()
}

pub async fn capabilities(State(ctx): State<Ctx>, who: Requester) -> Answer {
    ok(&who, ctx.app.block_capabilities().await?).await
}

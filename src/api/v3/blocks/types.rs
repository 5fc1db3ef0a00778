//! Routes of types of blocks.

use axum::extract::{Path, State};

use super::filter::TypeQuery;
use super::wire::{BlockType, BlockTypeChanges, BlockTypeCreate};
use crate::api::access::Requester;
use crate::api::v3::extract::{Body, Id};
use crate::api::v3::{Answer, made, no_content, ok};
use crate::api::{Ctx, Operation};
use crate::domain::access::Need;
use crate::domain::ids::BlockTypeId;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/block_types/", "Creates a type of blocks")
            .asks::<BlockTypeCreate>()
            .makes::<BlockType>()
            .needs(Need::Set, create),
        Operation::post("/block_types/filter", "Finds types of blocks")
            .asks::<TypeQuery>()
            .lists::<BlockType>()
            .needs(Need::Read, filter),
        Operation::post(
            "/block_types/install_system_block_types",
            "Creates the types of blocks that are to be there in any case",
        )
        .tells("any")
        .needs(Need::Operate, install),
        Operation::get("/block_types/{id}", "Reads a type of blocks")
            .answers::<BlockType>()
            .needs(Need::Read, read),
        Operation::patch("/block_types/{id}", "Changes a type of blocks")
            .asks::<BlockTypeChanges>()
            .is_silent()
            .needs(Need::Set, update),
        Operation::delete("/block_types/{id}", "Deletes a type with its blocks")
            .is_silent()
            .needs(Need::Operate, delete),
        Operation::get(
            "/block_types/slug/{slug}",
            "Reads a type of blocks by its slug",
        )
        .answers::<BlockType>()
        .needs(Need::Read, read_by_slug),
    ]
}

pub async fn create(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(create): Body<BlockTypeCreate>,
) -> Answer {
    let kind = ctx.app.create_block_type(create.into()).await?;
    made(&who, BlockType::from(kind)).await
}

pub async fn filter(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(query): Body<TypeQuery>,
) -> Answer {
    let (filters, page) = query.parts()?;
    let found = ctx.app.block_types(filters, page).await?.into_iter();
    ok(&who, found.map(BlockType::from).collect::<Vec<_>>()).await
}

pub async fn install(State(ctx): State<Ctx>, who: Requester) -> Answer {
    ctx.app.install_system_block_types().await?;
    ok(&who, ()).await
}

pub async fn read(State(ctx): State<Ctx>, who: Requester, Id(id): Id) -> Answer {
    let kind = ctx.app.block_type(BlockTypeId::from_uuid(id)).await?;
    ok(&who, BlockType::from(kind)).await
}

pub async fn read_by_slug(
    State(ctx): State<Ctx>,
    who: Requester,
    Path(slug): Path<String>,
) -> Answer {
    let kind = ctx.app.block_type_of_slug(slug).await?;
    ok(&who, BlockType::from(kind)).await
}

pub async fn update(
    State(ctx): State<Ctx>,
    Id(id): Id,
    Body(changes): Body<BlockTypeChanges>,
) -> Answer {
    let id = BlockTypeId::from_uuid(id);
    ctx.app.update_block_type(id, changes.into()).await?;
    no_content()
}

pub async fn delete(State(ctx): State<Ctx>, Id(id): Id) -> Answer {
    ctx.app
        .delete_block_type(BlockTypeId::from_uuid(id))
        .await?;
    no_content()
}

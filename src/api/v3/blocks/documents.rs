//! Routes of documents of blocks.

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, Uri};
use futures_util::TryFutureExt;

use super::document_wire::{BlockDocument, BlockDocumentChanges, BlockDocumentCreate};
use super::filter::{DocumentQuery, Secrets};
use crate::api::access::Requester;
use crate::api::json::lax;
use crate::api::redaction::Redact;
use crate::api::v3::error::{Fault, Refusal};
use crate::api::v3::extract::{Body, Id, in_query};
use crate::api::v3::{Answer, Answering, made, no_content, ok};
use crate::api::{Ctx, Operation};
use crate::domain::access::{Need, may_see_secrets};
use crate::domain::block;
use crate::domain::ids::BlockDocumentId;

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/block_documents/", "Creates a block")
            .asks::<BlockDocumentCreate>()
            .makes::<BlockDocument>()
            .needs(Need::Set, create),
        Operation::post("/block_documents/filter", "Finds blocks")
            .asks::<DocumentQuery>()
            .lists::<BlockDocument>()
            .needs(Need::Read, filter),
        Operation::post("/block_documents/count", "Counts blocks")
            .asks::<DocumentQuery>()
            .tells("integer")
            .needs(Need::Read, count),
        Operation::get("/block_documents/{id}", "Reads a block")
            .asks_query("include_secrets")
            .answers::<BlockDocument>()
            .needs(Need::Read, read),
        Operation::patch("/block_documents/{id}", "Changes a block")
            .asks::<BlockDocumentChanges>()
            .is_silent()
            .needs(Need::Set, update),
        Operation::delete("/block_documents/{id}", "Deletes a block")
            .is_silent()
            .needs(Need::Set, delete),
        Operation::get(
            "/block_types/slug/{slug}/block_documents",
            "Lists the blocks of a type",
        )
        .asks_query("include_secrets")
        .lists::<BlockDocument>()
        .needs(Need::Read, of_type),
        Operation::get(
            "/block_types/slug/{slug}/block_documents/name/{name}",
            "Reads a block by its type and name",
        )
        .asks_query("include_secrets")
        .answers::<BlockDocument>()
        .needs(Need::Read, by_name),
    ]
}

/// Whether secrets are told: if they are asked for, by somebody who may see them.
fn secrets(who: &Requester, are_asked: bool) -> Secrets {
    match are_asked && may_see_secrets(who.who()) {
        true => Secrets::Shown,
        false => Secrets::Masked,
    }
}

fn are_asked(uri: &Uri) -> Result<bool, Refusal> {
    let Some(word) = in_query(uri, "include_secrets") else {
        return Ok(false);
    };
    lax::truth_in(&word).ok_or_else(|| {
        Refusal::at(Fault {
            loc: vec!["query".into(), "include_secrets".into()],
            message: "Input should be a valid boolean".to_owned(),
            kind: "bool_parsing",
        })
    })
}

/// Blocks whose secrets are shown are told whole: whoever asked may see them.
fn told<'a>(
    who: &'a Requester,
    secrets: Secrets,
    found: impl Redact + serde::Serialize + Send + Sync + 'a,
) -> Answering<'a> {
    match secrets {
        Secrets::Shown => who.told(StatusCode::OK, found).err_into(),
        Secrets::Masked => ok(who, found),
    }
}

fn all(found: &[block::BlockDocument], secrets: Secrets) -> Vec<BlockDocument> {
    let each = found.iter().map(|one| BlockDocument::new(one, secrets));
    each.collect()
}

pub async fn create(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(create): Body<BlockDocumentCreate>,
) -> Answer {
    let document = ctx.app.create_block_document(create.into()).await?;
    made(&who, BlockDocument::new(&document, Secrets::Masked)).await
}

pub async fn filter(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(query): Body<DocumentQuery>,
) -> Answer {
    let secrets = secrets(&who, query.include_secrets);
    let (filters, sort, page) = query.parts()?;
    let found = ctx.app.block_documents(filters, sort, page).await?;
    told(&who, secrets, all(&found, secrets)).await
}

pub async fn count(
    State(ctx): State<Ctx>,
    who: Requester,
    Body(query): Body<DocumentQuery>,
) -> Answer {
    let count = ctx.app.count_block_documents(query.parts()?.0).await?;
    ok(&who, count).await
}

pub async fn read(State(ctx): State<Ctx>, who: Requester, Id(id): Id, request: Request) -> Answer {
    let secrets = secrets(&who, are_asked(request.uri())?);
    let id = BlockDocumentId::from_uuid(id);
    let found = ctx.app.block_document(id).await?;
    told(&who, secrets, BlockDocument::new(&found, secrets)).await
}

pub async fn update(
    State(ctx): State<Ctx>,
    Id(id): Id,
    Body(changes): Body<BlockDocumentChanges>,
) -> Answer {
    let id = BlockDocumentId::from_uuid(id);
    ctx.app.update_block_document(id, changes.into()).await?;
    no_content()
}

pub async fn delete(State(ctx): State<Ctx>, Id(id): Id) -> Answer {
    let id = BlockDocumentId::from_uuid(id);
    ctx.app.delete_block_document(id).await?;
    no_content()
}

pub async fn of_type(
    State(ctx): State<Ctx>,
    who: Requester,
    Path(slug): Path<String>,
    request: Request,
) -> Answer {
    let secrets = secrets(&who, are_asked(request.uri())?);
    let found = ctx.app.block_documents_of_type(slug).await?;
    told(&who, secrets, all(&found, secrets)).await
}

pub async fn by_name(
    State(ctx): State<Ctx>,
    who: Requester,
    Path((slug, name)): Path<(String, String)>,
    request: Request,
) -> Answer {
    let secrets = secrets(&who, are_asked(request.uri())?);
    let found = ctx.app.block_document_of(slug, name).await?;
    told(&who, secrets, BlockDocument::new(&found, secrets)).await
}

//! Documents: bytes that a client leaves here and fetches again.
//!
//! The 2.0a7 server answers with a document that names a file, and later opens whatever
//! file such a document names. Ours names a stored document by the hash of its content, and
//! opens nothing else.

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::super::{Ctx, body};
use super::Answer;
use super::ask::Ask;
use super::wire;
use crate::domain::document::DocumentId;
use crate::domain::error::{Error, Result};

/// Where documents seem to lie.
const PREFIX: &str = "file:///blobs/";

pub async fn persist(State(ctx): State<Ctx>, request: Request) -> Answer {
    let (parts, content) = request.into_parts();
    let bytes = body::whole(&parts.headers, content).await?;
    let id = ctx.app.persist_document(bytes.into()).await?;
    let inner = json!({ "encoding": "file", "blob": format!("{PREFIX}{id}") });
    let outer = json!({ "encoding": "orion", "blob": inner.to_string() });
    Ok((StatusCode::CREATED, axum::Json(outer)).into_response())
}

pub async fn retrieve(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let document = ask.body(wire::document);
    let id = stored(&ask.done(document)?)?;
    let bytes = ctx.app.document(id).await?;
    let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
    Ok((kind, bytes).into_response())
}

/// The stored document that a document of this API names.
fn stored(outer: &Value) -> Result<DocumentId> {
    let refused = || Error::invalid("Only documents that this API persisted can be retrieved.");
    let inner = blob(outer, "orion").ok_or_else(refused)?;
    let inner: Value = serde_json::from_str(inner).map_err(|_| refused())?;
    let name = blob(&inner, "file").and_then(|path| path.strip_prefix(PREFIX));
    name.and_then(|name| name.parse().ok()).ok_or_else(refused)
}

/// What a document of that encoding holds.
fn blob<'a>(document: &'a Value, encoding: &str) -> Option<&'a str> {
    let text = |key: &str| document.get(key).and_then(Value::as_str);
    text("blob").filter(|_| text("encoding") == Some(encoding))
}

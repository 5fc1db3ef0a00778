//! Documents: bytes that a client leaves here and fetches again.
//!
//! The 2.0a7 server answers with a document that names a file, and later opens whatever
//! file such a document names. Ours names the file of a stored document, too, so that it can be
//! read on this machine without the API; but the API goes by the last part of that name, which
//! is the hash of the content, and opens nothing else. Documents are as large as the operator
//! permits, so they pass in pieces.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::super::Ctx;
use super::Answer;
use super::request_reader::RequestReader;
use super::shapes::like;
use super::wire;
use crate::api::Operation;
use crate::domain::access::Need;
use crate::domain::document::DocumentId;
use crate::domain::error::{Error, Result};

/// What there is to request.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/data/persist", "Keeps the body as a document")
            .tells("object")
            .needs(Need::Persist, persist),
        Operation::post("/data/retrieve", "Answers what a document kept here holds")
            .asks_like(like("encoding: string, blob: string"))
            .tells("any")
            .needs(Need::Fetch, retrieve),
    ]
}

/// The scheme of files.
const SCHEME: &str = "file://";
/// How long a document may take: so much, and what it takes at so many bytes a second.
const TIME: Duration = Duration::from_secs(60);
const LEAST_PER_SECOND: usize = 32 * 1024;

pub async fn persist(State(ctx): State<Ctx>, request: Request) -> Answer {
    let mut body = request.into_body();
    let mut document = ctx.app.begin_document();
    let mut deadline = Instant::now() + TIME;
    while let Some(frame) = timeout_at(deadline, body.frame()).await.map_err(too_slow)? {
        let frame = frame
            .map_err(|error| Error::invalid(format!("The body could not be read: {error}")))?;
        let Ok(piece) = frame.into_data() else {
            continue;
        };
        deadline += Duration::from_secs_f64(piece.len() as f64 / LEAST_PER_SECOND as f64);
        if let Err(refused) = document.add(&piece).await {
            drop(document);
            ctx.app.note_storage_trouble(&refused);
            pass_over(body).await;
            return Err(refused.into());
        }
    }
    let finished = document.finish().await;
    let id = finished.inspect_err(|error| ctx.app.note_storage_trouble(error))?;
    let path = ctx.app.document_path(id);
    let inner = json!({ "encoding": "file", "blob": format!("{SCHEME}{}", path.display()) });
    let outer = json!({ "encoding": "orion", "blob": inner.to_string() });
    Ok((StatusCode::CREATED, axum::Json(outer)).into_response())
}

fn too_slow(_: tokio::time::error::Elapsed) -> Error {
    Error::invalid("The body came too slowly.")
}

/// Reads the rest of a body and throws it away: a client that is cut off while it sends never
/// sees the answer.
async fn pass_over(mut body: Body) {
    let all = async { while let Some(Ok(_)) = body.frame().await {} };
    // One that goes on for longer than that loses its connection.
    let _ = tokio::time::timeout(TIME, all).await;
}

pub async fn retrieve(State(ctx): State<Ctx>, mut request: RequestReader) -> Answer {
    let document = request.body(wire::document);
    let id = stored(&request.done(document)?)?;
    let document = ctx.app.document(id).await?;
    let head = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, document.length.to_string()),
    ];
    let pieces = futures_util::stream::try_unfold(document, |document| document.next());
    Ok((head, Body::from_stream(pieces)).into_response())
}

/// The stored document that a document of this API names.
fn stored(outer: &Value) -> Result<DocumentId> {
    let refused = || Error::invalid("Only documents that this API persisted can be retrieved.");
    let inner = blob(outer, "orion").ok_or_else(refused)?;
    let inner: Value = serde_json::from_str(inner).map_err(|_| refused())?;
    let path = blob(&inner, "file").and_then(|path| path.strip_prefix(SCHEME));
    // The folder may have been another one when the document was stored.
    let name = path.and_then(|path| path.rsplit_once("/blobs/"));
    name.and_then(|(_, name)| name.parse().ok())
        .ok_or_else(refused)
}

/// What a document of that encoding holds.
fn blob<'a>(document: &'a Value, encoding: &str) -> Option<&'a str> {
    let text = |key: &str| document.get(key).and_then(Value::as_str);
    text("blob").filter(|_| text("encoding") == Some(encoding))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(path: &str) -> Result<DocumentId> {
        let inner = json!({ "encoding": "file", "blob": path });
        stored(&json!({ "encoding": "orion", "blob": inner.to_string() }))
    }

    #[test]
    fn a_document_is_known_by_its_hash_wherever_it_lay() {
        let hash = "ab".repeat(32);
        for folder in ["", "/var/lib/prefectd", "/home/me/a b/state"] {
            let id = named(&format!("file://{folder}/blobs/{hash}")).unwrap();
            assert_eq!(id.to_string(), hash);
        }
        for other in [
            format!("file:///blobs/{hash}/"),
            format!("file:///blobs/../{hash}"),
            format!("s3:///blobs/{hash}"),
            format!("/blobs/{hash}"),
            "file:///etc/passwd".to_owned(),
            "file:///blobs/../../etc/passwd".to_owned(),
        ] {
            assert!(named(&other).is_err(), "{other}");
        }
    }
}

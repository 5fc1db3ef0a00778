//! Reads request bodies up to the limit.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;

use super::MAX_BODY;
use crate::domain::error::{Error, Kind};

/// How much of a body that is too large is still read, and thrown away: a client that is
/// cut off while it sends never sees the answer.
const MOST_DISCARDED: usize = 4 * MAX_BODY;

/// How long a client may take to send it.
const TIME: Duration = Duration::from_secs(60);

/// A refusal repeats a body of at most so many bytes; of a larger one, how it begins.
pub(super) const MOST_TOLD: usize = 16 * 1024;
/// How much of a larger one that is.
const BEGINNING: usize = 1024;

/// A body as a refusal may repeat it: the text, or how it begins and how long it is.
pub(super) fn beginning(bytes: &[u8]) -> String {
    if bytes.len() <= MOST_TOLD {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let start = bytes.get(..BEGINNING).unwrap_or_default();
    let start = String::from_utf8_lossy(start);
    let start = start.trim_end_matches(char::REPLACEMENT_CHARACTER);
    format!("{start}… ({} bytes in all)", bytes.len())
}

/// Reads a body that nobody needs and throws it away: a connection on which part of a request
/// is left cannot take another.
pub(super) async fn passed_over(body: Body) {
    // A client that is too slow loses its connection.
    let _ = tokio::time::timeout(TIME, discard(body)).await;
}

/// The whole body, or why it is refused: larger than [`MAX_BODY`], too slow, or cut off.
pub(super) async fn whole(headers: &HeaderMap, body: Body) -> Result<Bytes, Error> {
    tokio::time::timeout(TIME, read(headers, body))
        .await
        .unwrap_or_else(|_| {
            let secs = TIME.as_secs();
            Err(Error::invalid(format!(
                "The body took longer than {secs} seconds."
            )))
        })
}

async fn read(headers: &HeaderMap, mut body: Body) -> Result<Bytes, Error> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let mut whole = Bytes::new();
    let mut pieces = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|error| Error::invalid(format!("The body could not be read: {error}")))?;
        let Ok(piece) = frame.into_data() else {
            continue;
        };
        if whole.len() + pieces.len() + piece.len() > MAX_BODY {
            drop((whole, pieces));
            discard(body).await;
            return Err(too_large());
        }
        // Most bodies come in one piece, which is taken as it is.
        if whole.is_empty() && pieces.is_empty() {
            whole = piece;
            continue;
        }
        if pieces.is_empty() {
            pieces.reserve(announced.unwrap_or(0).min(MAX_BODY));
            pieces.extend_from_slice(&std::mem::take(&mut whole));
        }
        pieces.extend_from_slice(&piece);
    }
    Ok(match pieces.is_empty() {
        true => whole,
        false => pieces.into(),
    })
}

async fn discard(mut body: Body) {
    let mut discarded = 0;
    while let Some(Ok(frame)) = body.frame().await {
        discarded += frame.data_ref().map_or(0, |data| data.len());
        if discarded > MOST_DISCARDED {
            return;
        }
    }
}

fn too_large() -> Error {
    let mib = MAX_BODY / 1024 / 1024;
    Error::new(
        Kind::TooLarge,
        format!("The request body is larger than {mib} MiB."),
    )
}

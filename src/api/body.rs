//! Reads request bodies up to the limit.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use tokio::time::Instant;

use super::MAX_BODY;
use super::body_budget::Share;
use crate::domain::error::{Error, Kind};

/// How much of a body that is too large is still read, and thrown away: a client that is
/// cut off while it sends never sees the answer.
const MOST_DISCARDED: usize = 4 * MAX_BODY;

/// How long a client may take to send it.
const TIME: Duration = Duration::from_secs(60);
/// How long it may take to send the next [`STEP`] of it, or its end.
const STEP_TIME: Duration = Duration::from_secs(10);
/// In bytes.
const STEP: usize = 256 * 1024;

/// Until when the next piece of a body has to come.
pub(super) struct Pace {
    end: Instant,
    step_end: Instant,
    in_step: usize,
}

impl Pace {
    /// From now on.
    pub fn new() -> Self {
        let now = Instant::now();
        Self {
            end: now + TIME,
            step_end: now + STEP_TIME,
            in_step: 0,
        }
    }

    /// Until when to wait.
    pub fn deadline(&self) -> Instant {
        self.end.min(self.step_end)
    }

    /// Notes a piece that came.
    pub fn came(&mut self, size: usize) {
        self.in_step += size;
        if self.in_step >= STEP {
            self.in_step = 0;
            self.step_end = Instant::now() + STEP_TIME;
        }
    }
}

/// Has the body of a request that is answered already read and thrown away: the answer does not
/// wait for it, and it takes no budget.
pub(crate) fn leave(request: Request) {
    if let Some(share) = request.extensions().get::<Share>() {
        share.pass_through();
    }
    tokio::spawn(passed_over(request.into_body()));
}

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
/// is left cannot take another. A client that is too slow loses its connection.
async fn passed_over(mut body: Body) {
    let mut pace = Pace::new();
    let mut discarded = 0;
    while let Ok(Some(Ok(frame))) = tokio::time::timeout_at(pace.deadline(), body.frame()).await {
        let size = frame.data_ref().map_or(0, Bytes::len);
        pace.came(size);
        discarded += size;
        if discarded > MOST_DISCARDED {
            return;
        }
    }
}

/// The whole body, or why it is refused: larger than [`MAX_BODY`], too slow, or cut off.
pub(crate) async fn whole(headers: &HeaderMap, mut body: Body) -> Result<Bytes, Error> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|size| size > MAX_BODY) {
        return Err(too_large(body));
    }
    let mut pace = Pace::new();
    let mut whole = Bytes::new();
    let mut pieces = Vec::new();
    while let Some(frame) = tokio::time::timeout_at(pace.deadline(), body.frame())
        .await
        .map_err(|_| too_slow())?
    {
        let frame = frame
            .map_err(|error| Error::invalid(format!("The body could not be read: {error}")))?;
        let Ok(piece) = frame.into_data() else {
            continue;
        };
        pace.came(piece.len());
        if whole.len() + pieces.len() + piece.len() > MAX_BODY {
            return Err(too_large(body));
        }
        // Most bodies come in one piece, which is taken as it is.
        if whole.is_empty() && pieces.is_empty() {
            whole = piece;
            continue;
        }
        if pieces.is_empty() {
            pieces.extend_from_slice(&std::mem::take(&mut whole));
        }
        reserve(&mut pieces, piece.len(), announced);
        pieces.extend_from_slice(&piece);
    }
    Ok(match pieces.is_empty() {
        true => whole,
        false => pieces.into(),
    })
}

/// Makes space for what comes, twice as much each time, up to what is announced: what is only
/// announced takes no memory.
fn reserve(pieces: &mut Vec<u8>, size: usize, announced: Option<usize>) {
    let needed = pieces.len() + size;
    if needed > pieces.capacity() {
        let most = announced.unwrap_or(MAX_BODY).max(needed);
        pieces.reserve_exact((2 * needed).min(most) - pieces.len());
    }
}

fn too_slow() -> Error {
    Error::invalid("The body took too long to come.")
}

/// The answer does not wait for the rest.
fn too_large(rest: Body) -> Error {
    tokio::spawn(passed_over(rest));
    let mib = MAX_BODY / 1024 / 1024;
    Error::new(
        Kind::TooLarge,
        format!("The request body is larger than {mib} MiB."),
    )
}

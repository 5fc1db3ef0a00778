//! Answers in JSON, bounded in length.

use std::io::{self, Write};

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

use super::aside::aside;
use crate::domain::error::{Error, Kind, Result};

/// Up to so many bytes an answer is written where the request is: a millisecond or two.
const SHORT: usize = 1024 * 1024;
/// How many times longer an answer may get before it is moved once more.
const GROWTH: usize = 4;
/// The longest answer, in bytes.
const LONGEST: usize = 64 * 1024 * 1024;

/// The answer that says `body`. A long one is written out of the way of other requests.
///
/// # Errors
/// [`Kind::TooLarge`] where it would be longer than [`LONGEST`].
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Result<Response> {
    let mut written = Bounded::new(SHORT);
    if serde_json::to_writer(&mut written, body).is_err() {
        written = Bounded::new(LONGEST);
        let all = aside(usize::MAX, || serde_json::to_writer(&mut written, body));
        if let Err(error) = all {
            return Err(match written.is_over {
                true => too_large(),
                false => Error::internal(format_args!("writing an answer: {error}")),
            });
        }
    }
    let mut response = Response::new(Body::from(written.bytes));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

fn too_large() -> Error {
    let mib = LONGEST / 1024 / 1024;
    let message = format!("The answer is longer than {mib} MiB; ask for fewer at once.");
    Error::new(Kind::TooLarge, message)
}

/// Takes so many bytes and no more.
struct Bounded {
    bytes: Vec<u8>,
    limit: usize,
    is_over: bool,
}

impl Bounded {
    fn new(limit: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(128),
            limit,
            is_over: false,
        }
    }

    /// Room for so many bytes more than are written. By large steps, since what is written so far may
    /// be copied at each.
    #[cold]
    fn make_room(&mut self, more: usize) -> io::Result<()> {
        let needed = self.bytes.len() + more;
        if needed > self.limit {
            self.is_over = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let room = (needed * GROWTH).min(self.limit);
        self.bytes.reserve_exact(room - self.bytes.len());
        Ok(())
    }
}

impl Write for Bounded {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.write_all(piece)?;
        Ok(piece.len())
    }

    // An answer is written in pieces of a few bytes, by the hundred thousand.
    #[inline]
    fn write_all(&mut self, piece: &[u8]) -> io::Result<()> {
        if piece.len() > self.bytes.capacity() - self.bytes.len() {
            self.make_room(piece.len())?;
        }
        self.bytes.extend_from_slice(piece);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answers_are_bounded() {
        let short = json(StatusCode::CREATED, &"x").unwrap();
        assert_eq!(short.status(), StatusCode::CREATED);
        let body = axum::body::to_bytes(short.into_body(), 100).await.unwrap();
        assert_eq!(body.as_ref(), b"\"x\"");
        let long = "x".repeat(SHORT);
        let answer = json(StatusCode::OK, &long).unwrap();
        let body = axum::body::to_bytes(answer.into_body(), 2 * SHORT).await;
        assert_eq!(body.unwrap().len(), SHORT + 2);
        let piece = "x".repeat(LONGEST / 8);
        let error = json(StatusCode::OK, &vec![piece.as_str(); 9]).unwrap_err();
        assert_eq!(error.kind(), Kind::TooLarge);
    }
}

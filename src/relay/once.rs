//! One attempt at a request: sent to the daemon, and its answer read whole, if it is not large.

use std::io;
use std::path::Path;

use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio_util::task::AbortOnDropHandle;

use super::spool::{Refused, Spools, Whole};

/// Up to this an answer is read whole before the client hears of it, so that a daemon that dies
/// meanwhile is asked again, in bytes. Larger ones, and those that do not tell their length, are
/// handed on as they come, and break off with the daemon.
const WHOLE: u64 = 1024 * 1024;
/// The most that is held of an answer's head, and of what comes of its body at a time, in bytes.
const AT_ONCE: usize = 64 * 1024;

/// What came of it.
pub(super) enum Sent {
    /// The daemon's answer.
    Answer(Response<Whole>),
    /// The daemon speaks another protocol on this connection from here on.
    Switched(Response<Incoming>),
    /// No daemon is there.
    Absent,
    /// The daemon took the request and was gone before it had answered.
    Died,
    /// The answer could not be held here.
    NoRoom,
}

/// Sends once.
pub(super) async fn once(daemon: &Path, spools: &Spools, request: Request<Whole>) -> Sent {
    // A connection of its own: one that was kept may have died long before this request.
    let Ok(stream) = UnixStream::connect(daemon).await else {
        return Sent::Absent;
    };
    match converse(stream, spools, request).await {
        Ok(sent) => sent,
        Err(_) => Sent::Died,
    }
}

async fn converse(
    stream: UnixStream,
    spools: &Spools,
    request: Request<Whole>,
) -> Result<Sent, hyper::Error> {
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(AT_ONCE)
        .handshake(TokioIo::new(stream))
        .await?;
    // It ends with the answer, or with the request when the client goes.
    let connection = AbortOnDropHandle::new(tokio::spawn(connection.with_upgrades()));
    let answer = sender.send_request(request).await?;
    if answer.status() == hyper::StatusCode::SWITCHING_PROTOCOLS {
        // The connection's task hands the stream over before it ends.
        drop(connection.detach());
        return Ok(Sent::Switched(answer));
    }
    let (parts, body) = answer.into_parts();
    let length = body.size_hint().exact();
    let body = body.map_err(io::Error::other);
    let body = if length.is_some_and(|length| length <= WHOLE) {
        spools.hold(body).await.map(|spool| spool.body())
    } else {
        spools.hand_on(body, connection)
    };
    Ok(match body {
        Ok(body) => Sent::Answer(Response::from_parts(parts, body)),
        Err(Refused::Broken) => Sent::Died,
        Err(_) => Sent::NoRoom,
    })
}

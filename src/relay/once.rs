//! One attempt at a request: sent to the daemon, and its answer read whole.

use std::io;
use std::path::Path;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio_util::task::AbortOnDropHandle;

use super::spool::{Refused, Spool, Spools, Whole};

/// What came of it.
pub(super) enum Sent {
    /// The daemon's answer, whole.
    Answer(Response<Spool>),
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
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the answer, or with the request when the client goes.
    let connection = AbortOnDropHandle::new(tokio::spawn(connection.with_upgrades()));
    let answer = sender.send_request(request).await?;
    if answer.status() == hyper::StatusCode::SWITCHING_PROTOCOLS {
        // The connection's task hands the stream over before it ends.
        drop(connection.detach());
        return Ok(Sent::Switched(answer));
    }
    let (parts, body) = answer.into_parts();
    match spools.hold(body.map_err(io::Error::other)).await {
        Ok(spool) => Ok(Sent::Answer(Response::from_parts(parts, spool))),
        Err(Refused::Broken) => Ok(Sent::Died),
        Err(_) => Ok(Sent::NoRoom),
    }
}

//! What the sockets have in common on which a client says once what it wants to hear, and is told
//! of it from then on.

use std::future::Future;
use std::time::Duration;

use super::reader::Heard;
use super::socket::{Closing, Ending, Next, code};
use super::{Talk, why};
use crate::api::v3::error::Refusal;
use crate::domain::error::Error;

/// How long a client may take to say what it wants to hear.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) const EXPECTED: Closing = Closing::fixed(code::PROTOCOL, "Expected 'filter' message");

/// The message that says what the client wants.
pub(super) async fn asked(talk: &mut Talk) -> Result<String, Ending> {
    let first = async {
        loop {
            match talk.socket.next().await {
                Next::Heard(Heard::Text(message)) => return Ok(message.text),
                Next::Heard(Heard::Ping(bytes)) => talk.socket.pong(bytes).await,
                Next::Heard(Heard::Close(asked)) => return Err(Ending::Asked(asked)),
                Next::Heard(Heard::Broken(closing)) => return Err(Ending::Close(closing)),
                Next::Stop => return Err(Ending::Close(Closing::stopping())),
            }
        }
    };
    let first = tokio::time::timeout(PATIENCE, first).await;
    first.unwrap_or(Err(Ending::Close(EXPECTED)))
}

/// How a conversation ends whose filter is none.
pub(super) fn invalid(refusal: &Refusal) -> Ending {
    let why = format!("Invalid filter: {}", why(refusal));
    Ending::Close(Closing::of(code::PROTOCOL, &why))
}

pub(super) fn trouble(error: &Error) -> Closing {
    tracing::warn!(%error, "a listener's websocket is closed");
    Closing::of(code::TROUBLE, error.message())
}

/// The next of what is listened for, unless the conversation ends before; what the client still
/// says asks nothing.
pub(super) async fn next<T>(
    talk: &mut Talk,
    coming: impl Future<Output = Result<T, Error>>,
) -> Result<T, Ending> {
    let mut coming = std::pin::pin!(coming);
    loop {
        if talk.socket.is_over() {
            return Err(Ending::Gone);
        }
        let next = tokio::select! {
            next = talk.socket.next() => next,
            come = &mut coming => return come.map_err(|error| Ending::Close(trouble(&error))),
        };
        match next {
            Next::Heard(Heard::Ping(bytes)) => talk.socket.pong(bytes).await,
            Next::Heard(Heard::Text(..)) => {}
            Next::Heard(Heard::Close(asked)) => return Err(Ending::Asked(asked)),
            Next::Heard(Heard::Broken(closing)) => return Err(Ending::Close(closing)),
            Next::Stop => return Err(Ending::Close(Closing::stopping())),
        }
    }
}

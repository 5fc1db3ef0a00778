//! What the sockets have in common on which a client says once what it wants to hear, and is told
//! of it from then on.

use std::future::Future;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::reader::Heard;
use super::socket::{Closing, Ending, Next, code};
use super::{Talk, why};
use crate::api::redaction::Redact;
use crate::api::v3::error::Refusal;
use crate::api::v3::extract::read;
use crate::app::App;
use crate::domain::error::{Error, Result};

/// How long a client may take to say what it wants to hear.
const PATIENCE: Duration = Duration::from_secs(60);

const EXPECTED: Closing = Closing::fixed(code::PROTOCOL, "Expected 'filter' message");

/// The message in which a client says what it wants to hear.
pub(super) trait Wish: DeserializeOwned {
    /// What comes of it.
    type Feed: Feed;

    /// What the message says that it is.
    fn kind(&self) -> &str;

    /// Begins to listen.
    async fn begin(self, app: &App) -> std::result::Result<Self::Feed, Ending>;
}

/// What is listened to.
pub(super) trait Feed {
    /// What comes.
    type Item;
    /// What the client is told of each.
    type Message: Redact + Serialize;

    /// What has come, one at least.
    async fn coming(&mut self) -> Result<Vec<Self::Item>>;

    /// What is told of it.
    fn message(item: Self::Item) -> Self::Message;
}

/// Tells a client of what it wishes to hear until the end.
pub(super) async fn listen<W: Wish>(mut talk: Talk) {
    let ending = match wish::<W>(&mut talk).await {
        Ok(feed) => tell(&mut talk, feed).await,
        Err(ending) => ending,
    };
    talk.socket.finish(ending).await;
}

async fn wish<W: Wish>(talk: &mut Talk) -> std::result::Result<W::Feed, Ending> {
    let text = asked(talk).await?;
    let read = || {
        let bytes = text.as_bytes();
        read::<W>(bytes)?.accepted(talk.visitor.sender(), bytes, &talk.ctx)
    };
    let wish = read().map_err(|refusal| invalid(&refusal))?;
    match wish.kind() {
        "filter" => wish.begin(&talk.ctx.app).await,
        _ => Err(Ending::Close(EXPECTED)),
    }
}

async fn tell<F: Feed>(talk: &mut Talk, mut feed: F) -> Ending {
    loop {
        let items = match next(talk, feed.coming()).await {
            Ok(items) => items,
            Err(ending) => return ending,
        };
        for item in items {
            if let Err(error) = say(talk, F::message(item)).await {
                return trouble(&error);
            }
        }
    }
}

async fn say(talk: &mut Talk, message: impl Redact + Serialize) -> Result<()> {
    let message = talk.visitor.requester()?.masked(message).await?;
    talk.socket.say(&message).await;
    Ok(())
}

/// The message that says what the client wants.
pub(super) async fn asked(talk: &mut Talk) -> std::result::Result<String, Ending> {
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

/// How a conversation ends that fails for no fault of the client's.
pub(super) fn trouble(error: &Error) -> Ending {
    tracing::warn!(%error, "a listener's websocket is closed");
    Ending::Close(Closing::of(code::TROUBLE, error.message()))
}

/// The next of what is listened for, unless the conversation ends before; what the client still
/// says asks nothing.
pub(super) async fn next<T>(
    talk: &mut Talk,
    coming: impl Future<Output = Result<T>>,
) -> std::result::Result<T, Ending> {
    let mut coming = std::pin::pin!(coming);
    loop {
        if talk.socket.is_over() {
            return Err(Ending::Gone);
        }
        let next = tokio::select! {
            next = talk.socket.next() => next,
            come = &mut coming => return come.map_err(|error| trouble(&error)),
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

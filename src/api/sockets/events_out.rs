//! `/events/out`: events that a filter asks for, first those of the last minutes and then those
//! that come, each once.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::reader::Heard;
use super::socket::{Closing, Ending, Next, code};
use super::{Talk, why};
use crate::api::v3::error::Refusal;
use crate::api::v3::events::filter::EventFilter;
use crate::api::v3::events::wire::EventOut;
use crate::api::v3::extract::read;
use crate::app::Subscription;
use crate::domain::error::Error;
use crate::domain::event::Stored;
use crate::domain::time::Span;

/// How far back is looked, as in the reference.
const BACKFILL: Span = Span::from_micros(15 * 60 * 1_000_000);
/// How long a client may take to say what it wants to hear.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// What a client wants to hear.
#[derive(Deserialize)]
struct Wanted {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    filter: EventFilter,
    #[serde(default)]
    backfill: Option<bool>,
}

/// What it is told.
#[derive(Serialize)]
struct EventMessage {
    #[serde(rename = "type")]
    kind: &'static str,
    event: EventOut,
}

/// Tells of events until the end.
pub(super) async fn talk(mut talk: Talk) {
    let ending = match wanted(&mut talk).await {
        Ok(subscription) => tell(&mut talk, subscription).await,
        Err(ending) => ending,
    };
    talk.socket.finish(ending).await;
}

/// Listens for what the client asks.
async fn wanted(talk: &mut Talk) -> Result<Subscription, Ending> {
    let text = asked(talk).await?;
    let read = || {
        let bytes = text.as_bytes();
        read::<Wanted>(bytes)?.accepted(talk.visitor.sender(), bytes, &talk.ctx)
    };
    let wanted = read().map_err(|refusal| invalid(&refusal))?;
    if wanted.kind != "filter" {
        return Err(Ending::Close(EXPECTED));
    }
    let now = talk.ctx.app.now();
    let filter = wanted.filter.asked(now);
    let mut filter = filter.map_err(|error| invalid(&error.into()))?;
    filter.since = filter.since.max(now - BACKFILL);
    let backfill = wanted.backfill.unwrap_or(true);
    let subscription = talk.ctx.app.hear_events(filter, backfill).await;
    subscription.map_err(|error| Ending::Close(trouble(&error)))
}

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

async fn tell(talk: &mut Talk, mut subscription: Subscription) -> Ending {
    loop {
        let next = tokio::select! {
            next = talk.socket.next() => Ok(next),
            events = subscription.next() => Err(events),
        };
        match next {
            Ok(Next::Heard(Heard::Ping(bytes))) => talk.socket.pong(bytes).await,
            // Nobody is asked anything else.
            Ok(Next::Heard(Heard::Text(..))) => {}
            Ok(Next::Heard(Heard::Close(asked))) => return Ending::Asked(asked),
            Ok(Next::Heard(Heard::Broken(closing))) => return Ending::Close(closing),
            Ok(Next::Stop) => return Ending::Close(Closing::stopping()),
            Err(Ok(events)) => {
                if let Err(error) = tell_of(talk, events).await {
                    return Ending::Close(trouble(&error));
                }
            }
            Err(Err(error)) => return Ending::Close(trouble(&error)),
        }
        if talk.socket.is_over() {
            return Ending::Gone;
        }
    }
}

async fn tell_of(talk: &mut Talk, events: Vec<Arc<Stored>>) -> Result<(), Error> {
    for stored in events {
        let event = EventOut::from(&*stored);
        let event = talk.visitor.requester()?.masked(event).await?;
        let kind = "event";
        talk.socket.say(&EventMessage { kind, event }).await;
    }
    Ok(())
}

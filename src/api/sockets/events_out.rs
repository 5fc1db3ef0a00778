//! `/events/out`: events that a filter asks for, first those of the last minutes and then those
//! that come, each once.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Talk;
use super::listening::{EXPECTED, asked, invalid, next, trouble};
use super::socket::Ending;
use crate::api::v3::events::filter::EventFilter;
use crate::api::v3::events::wire::EventOut;
use crate::api::v3::extract::read;
use crate::app::Subscription;
use crate::domain::error::Error;
use crate::domain::event::Stored;
use crate::domain::time::Span;

/// How far back is looked, as in the reference.
const BACKFILL: Span = Span::from_micros(15 * 60 * 1_000_000);

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

async fn tell(talk: &mut Talk, mut subscription: Subscription) -> Ending {
    loop {
        let events = match next(talk, subscription.next()).await {
            Ok(events) => events,
            Err(ending) => return ending,
        };
        if let Err(error) = tell_of(talk, events).await {
            return Ending::Close(trouble(&error));
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

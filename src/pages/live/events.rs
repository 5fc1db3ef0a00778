//! A stream of events, as they come.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use futures_util::stream;
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use super::parts::rendered;
use super::{BEGINNING, NOTHING, place, told};
use crate::api::Ctx;
use crate::api::sockets::Place;
use crate::app::Subscription;
use crate::domain::error::Result;
use crate::domain::event::Stored;
use crate::domain::time::Timestamp;
use crate::pages::answer::Answer;
use crate::pages::nouns::events;
use crate::pages::visitor::Visitor;

/// How long events are gathered, so that a page is not drawn for each.
const GATHER: Duration = Duration::from_millis(250);
/// How long nothing is said.
const QUIET: Duration = Duration::from_secs(15);
/// The most events that are told at once; of more it is the latest.
const MOST: usize = 100;

struct Hearing {
    visitor: Visitor,
    place: Place,
    subscription: Subscription,
    has_begun: bool,
}

/// Begins one, with those that came from `since` on.
pub async fn begin(ctx: Ctx, visitor: Visitor, since: Option<Timestamp>) -> Answer {
    let hearing = Hearing {
        place: place(&ctx)?,
        subscription: events::hear(&ctx, &visitor, since).await?,
        visitor,
        has_begun: false,
    };
    Ok(told(stream::unfold(hearing, |mut hearing| async move {
        let next = hearing.next().await?;
        Some((Ok(next), hearing))
    })))
}

impl Hearing {
    async fn next(&mut self) -> Option<Bytes> {
        if !self.has_begun {
            self.has_begun = true;
            return Some(BEGINNING.into());
        }
        let stop = self.place.stop.clone();
        tokio::select! {
            () = stop.cancelled() => None,
            gathered = self.gathered() => self.said(gathered.ok()?).await.ok(),
        }
    }

    /// Those that come within a while, the latest of them; none where nothing happens for long.
    async fn gathered(&mut self) -> Result<Vec<Arc<Stored>>> {
        let quiet = Instant::now() + QUIET;
        let Ok(first) = timeout_at(quiet, self.subscription.next()).await else {
            return Ok(Vec::new());
        };
        let mut all = first?;
        let until = Instant::now() + GATHER;
        while let Ok(more) = timeout_at(until, self.subscription.next()).await {
            all.extend(more?);
            let beyond = all.len().saturating_sub(MOST);
            all.drain(..beyond);
        }
        let beyond = all.len().saturating_sub(MOST);
        all.drain(..beyond);
        Ok(all)
    }

    async fn said(&self, events: Vec<Arc<Stored>>) -> Result<Bytes> {
        let latest = events.iter().map(|it| it.event.occurred).max();
        let Some(latest) = latest else {
            return Ok(NOTHING.into());
        };
        let rows = events::come(&self.visitor, events).await?;
        let data = json!({ "html": rendered(&rows)? });
        let id = latest.micros();
        Ok(format!("event: events\nid: {id}\ndata: {data}\n\n").into())
    }
}

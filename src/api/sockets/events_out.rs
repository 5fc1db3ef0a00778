//! `/events/out`: events that a filter asks for, first those of the last minutes and then those
//! that come, each once.

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::listening::{Feed, Wish, invalid, trouble};
use super::socket::Ending;
use crate::api::redaction::{Reader, Redact};
use crate::api::v3::events::filter::EventFilter;
use crate::api::v3::events::wire::EventOut;
use crate::app::{App, Subscription};
use crate::domain::error::Result;
use crate::domain::event::Stored;
use crate::domain::ids::FlowRunId;
use crate::domain::time::Span;

/// How far back is looked, as in the reference.
const BACKFILL: Span = Span::from_micros(15 * 60 * 1_000_000);

/// What a client wants to hear.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    filter: EventFilter,
    #[serde(default)]
    backfill: Option<bool>,
}

impl Wish for Wanted {
    type Feed = Subscription;

    fn kind(&self) -> &str {
        &self.kind
    }

    async fn begin(self, app: &App) -> std::result::Result<Subscription, Ending> {
        let now = app.now();
        let filter = self.filter.asked(now);
        let mut filter = filter.map_err(|error| invalid(&error.into()))?;
        filter.since = filter.since.max(now - BACKFILL);
        let backfill = self.backfill.unwrap_or(true);
        let subscription = app.hear_events(filter, backfill).await;
        subscription.map_err(|error| trouble(&error))
    }
}

/// What it is told.
#[derive(Serialize)]
pub(super) struct EventMessage {
    #[serde(rename = "type")]
    kind: &'static str,
    event: EventOut,
}

impl Redact for EventMessage {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        self.event.runs(noted);
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        self.event.redact(reader);
    }
}

impl Feed for Subscription {
    type Item = Arc<Stored>;
    type Message = EventMessage;

    async fn coming(&mut self) -> Result<Vec<Arc<Stored>>> {
        self.next().await
    }

    fn message(stored: Arc<Stored>) -> EventMessage {
        let event = EventOut::from(&*stored);
        let kind = "event";
        EventMessage { kind, event }
    }
}

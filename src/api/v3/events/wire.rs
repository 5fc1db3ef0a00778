//! Events.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::{Reader, Redact};
use crate::api::v3::extract::AimedBody;
use crate::api::v3::wire::Instant;
use crate::domain::JsonMap;
use crate::domain::error::{Error, Result};
use crate::domain::event::{Event, Resource, Stored};
use crate::domain::ids::{EventId, FlowRunId};

/// An event as a client tells it. Members that nobody knows are passed over, as in the reference.
#[derive(Debug, Deserialize, ToSchema)]
pub struct EventIn {
    occurred: Instant,
    event: String,
    #[schema(value_type = Object)]
    resource: JsonMap,
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    related: Vec<JsonMap>,
    #[serde(default)]
    #[schema(value_type = Object)]
    payload: JsonMap,
    id: Uuid,
    #[serde(default)]
    follows: Option<Uuid>,
}

impl TryFrom<EventIn> for Event {
    type Error = Error;

    fn try_from(told: EventIn) -> Result<Self> {
        let event = Self {
            id: EventId::from_uuid(told.id),
            occurred: told.occurred.into(),
            name: told.event,
            resource: Resource::from(told.resource),
            related: told.related.into_iter().map(Resource::from).collect(),
            payload: told.payload,
            follows: told.follows.map(EventId::from_uuid),
        };
        event.check()?;
        Ok(event)
    }
}

impl AimedBody for Vec<EventIn> {
    type Meaning = Vec<Event>;
    const HAS_OWN_BOUNDS: bool = true;

    fn meaning(self) -> Result<Vec<Event>> {
        let numbered = self.into_iter().enumerate();
        let events = numbered.map(|(index, told)| {
            Event::try_from(told)
                .map_err(|error| Error::invalid(format!("Event {index}: {}", error.message())))
        });
        events.collect()
    }
}

/// An event that was kept.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventOut {
    /// When it happened.
    occurred: Instant,
    /// What happened.
    event: String,
    /// To what.
    #[schema(value_type = Object)]
    resource: JsonMap,
    /// What else was involved.
    #[schema(value_type = Vec<Object>)]
    related: Vec<JsonMap>,
    /// Whatever there is to say of it.
    #[schema(value_type = Object)]
    payload: JsonMap,
    /// Its id.
    id: Uuid,
    /// The event before it.
    follows: Option<Uuid>,
    /// When it arrived.
    received: Instant,
    #[serde(skip)]
    flow_run: Option<FlowRunId>,
}

impl From<&Stored> for EventOut {
    fn from(stored: &Stored) -> Self {
        let Stored {
            place: _,
            received,
            event,
        } = stored;
        let Event {
            id,
            occurred,
            name,
            resource,
            related,
            payload,
            follows,
        } = event;
        Self {
            occurred: (*occurred).into(),
            event: name.clone(),
            resource: resource.labels().clone(),
            related: related.iter().map(|one| one.labels().clone()).collect(),
            payload: payload.clone(),
            id: id.uuid(),
            follows: follows.map(EventId::uuid),
            received: (*received).into(),
            flow_run: event.flow_run(),
        }
    }
}

impl Redact for EventOut {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        noted.extend(self.flow_run);
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            occurred: _,
            event,
            resource,
            related,
            payload,
            id: _,
            follows: _,
            received: _,
            flow_run,
        } = self;
        let mask = reader.within_flow_run(*flow_run);
        mask.over(event);
        mask.over(resource);
        mask.over(related);
        mask.over(payload);
    }
}

/// A page of events.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventPage {
    /// The events.
    pub(super) events: Vec<EventOut>,
    /// How many there were in all when the first page was asked for.
    pub(super) total: u64,
    /// Where the next page is found.
    pub(super) next_page: Option<String>,
}

impl Redact for EventPage {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        self.events.runs(noted);
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            events,
            total: _,
            next_page: _,
        } = self;
        events.redact(reader);
    }
}

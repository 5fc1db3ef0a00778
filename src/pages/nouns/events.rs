//! Events: what happened, the latest first, and what happens meanwhile.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;

use crate::api::redaction::{Reader, Redact};
use crate::api::{Ctx, Need, Operation};
use crate::app::{Cursor, Subscription};
use crate::domain::error::Result;
use crate::domain::event::filter::{Filter, Names, OfResource};
use crate::domain::event::{NAME, Resource, Stored};
use crate::domain::filter::TextQuery;
use crate::domain::time::{Span, Timestamp};
use crate::pages::answer::{Answer, ok};
use crate::pages::show::{Html, short, text, times};
use crate::pages::visitor::{Frame, Visitor};

/// How many are on a page.
const LISTED: u64 = 100;
/// How far back the list goes.
const WEEK: Span = Span::from_micros(7 * 86_400 * 1_000_000);
/// How far back is looked for what came between a page and its stream: clocks of senders differ.
const OVERLAP: Span = Span::from_micros(60 * 1_000_000);
/// How far ahead of this machine's clock a sender's may be.
const AHEAD: Span = Span::from_micros(366 * 86_400 * 1_000_000);

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![Operation::get("/events", "Lists events").needs(Need::Inspect, list)]
}

/// An event as it is shown.
pub struct Shown {
    id: String,
    at: Html,
    icon: &'static str,
    name: Html,
    resource: Html,
    related: Html,
}

#[derive(Template)]
#[template(path = "events.html")]
struct EventsPage {
    frame: Frame,
    prefix: Html,
    q: Html,
    events: Vec<Shown>,
    newest: String,
    older: Option<String>,
}

/// Events on their own, as they are added to a page.
#[derive(Template)]
#[template(path = "event_rows.html")]
pub struct Rows {
    /// The events.
    pub events: Vec<Shown>,
}

/// What is shown of one.
pub struct Seen(pub Stored);

impl Redact for Seen {
    fn redact(&mut self, reader: &Reader<'_>) {
        let mask = reader.of_nobody();
        let event = &mut self.0.event;
        mask.over(&mut event.name);
        mask.over(event.resource.labels_mut());
        for related in &mut event.related {
            mask.over(related.labels_mut());
        }
        mask.over(&mut event.payload);
    }
}

/// What a list is asked for.
struct Asked {
    prefix: String,
    q: String,
    before: Option<Cursor>,
}

impl Asked {
    fn of(visitor: &Visitor) -> Self {
        let prefix = visitor.asked("event").unwrap_or_default();
        let q = visitor.asked("q").unwrap_or_default();
        let before = visitor.asked("before").and_then(|place| {
            let (at, place) = place.split_once('-')?;
            Some(Cursor {
                occurred: Timestamp::from_micros(at.parse().ok()?),
                place: place.parse().ok()?,
            })
        });
        Self {
            prefix: prefix.trim_end_matches('*').chars().take(200).collect(),
            q: q.chars().take(TextQuery::MOST).collect(),
            before,
        }
    }

    fn filter(&self, since: Timestamp, until: Timestamp) -> Filter {
        let prefixes = Some(self.prefix.clone()).filter(|prefix| !prefix.is_empty());
        Filter {
            since,
            until,
            name: Names {
                prefixes: prefixes.into_iter().collect(),
                ..Names::default()
            },
            resource: OfResource::default(),
            distinct: false,
            related: Vec::new(),
            any_resource: Vec::new(),
            ids: Vec::new(),
            text: TextQuery::read(&self.q),
            newest_first: true,
        }
    }

    fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("event", &self.prefix), ("q", &self.q)] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        query.finish()
    }
}

async fn list(State(ctx): State<Ctx>, visitor: Visitor) -> Answer {
    let asked = Asked::of(&visitor);
    let now = ctx.app.now();
    let found = ctx
        .app
        .events(asked.filter(now - WEEK, now), asked.before, LISTED)
        .await?;
    let newest = found.events.first().map_or(now, |it| it.event.occurred);
    let query = asked.query();
    let older = found.next.map(|next| {
        let place = format!("{}-{}", next.occurred.micros(), next.place);
        format!("/events?{query}&before={place}")
    });
    let frame = visitor.frame(&ctx, "events", "Events").await?;
    ok(&EventsPage {
        frame: match asked.before {
            Some(_) => frame,
            None => frame.live(format!("/live/events?{query}")),
        },
        prefix: text(&asked.prefix),
        q: text(&asked.q),
        events: shown(&visitor, found.events).await?,
        newest: newest.micros().to_string(),
        older,
    })
}

/// The events that a page's address asks for, from about `since` on, and those that come.
///
/// # Errors
/// Where too much is asked.
pub async fn hear(ctx: &Ctx, visitor: &Visitor, since: Option<Timestamp>) -> Result<Subscription> {
    let now = ctx.app.now();
    let from = since.map_or(now, |since| since - OVERLAP).max(now - WEEK);
    let filter = Asked::of(visitor).filter(from, now + AHEAD);
    ctx.app.hear_events(filter, since.is_some()).await
}

/// Some that have come, the latest first.
///
/// # Errors
/// Where it cannot be found out what is a run's own.
pub async fn come(visitor: &Visitor, events: Vec<Arc<Stored>>) -> Result<Rows> {
    let each = events.into_iter().rev().map(|it| Stored::clone(&it));
    Ok(Rows {
        events: shown(visitor, each.collect()).await?,
    })
}

async fn shown(visitor: &Visitor, events: Vec<Stored>) -> Result<Vec<Shown>> {
    let seen: Vec<_> = events.into_iter().map(Seen).collect();
    let seen = visitor.masked(seen).await?;
    Ok(seen.iter().map(|Seen(stored)| Shown::new(stored)).collect())
}

/// What a resource is called.
pub fn name_of(resource: &Resource) -> Html {
    short(resource.label(NAME).unwrap_or_else(|| resource.id()))
}

impl Shown {
    fn new(stored: &Stored) -> Self {
        let event = &stored.event;
        let related = event.related.iter().take(3);
        let related: Vec<_> = related.map(|it| name_of(it).to_string()).collect();
        Self {
            id: event.id.to_string(),
            at: times::exact(event.occurred),
            icon: icon(&event.name),
            name: short(&event.name),
            resource: name_of(&event.resource),
            related: Html::of(related.join(" · ")),
        }
    }
}

/// The shape of the state that an event tells of.
fn icon(name: &str) -> &'static str {
    const STATES: &[&str] = &[
        "completed",
        "failed",
        "crashed",
        "running",
        "pending",
        "scheduled",
        "cancelled",
        "cancelling",
        "paused",
        "late",
    ];
    let last = name
        .rsplit('.')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    STATES
        .iter()
        .find(|state| **state == last)
        .copied()
        .unwrap_or("")
}

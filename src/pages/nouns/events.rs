//! Events: what happened, the latest first.

use askama::Template;
use axum::extract::State;

use crate::api::redaction::{Reader, Redact};
use crate::api::{Ctx, Need, Operation};
use crate::app::Cursor;
use crate::domain::event::filter::{Filter, Names, OfResource};
use crate::domain::event::{NAME, Stored};
use crate::domain::filter::TextQuery;
use crate::domain::time::Span;
use crate::pages::answer::{Answer, ok};
use crate::pages::show::{Html, lines, short, text, times};
use crate::pages::visitor::{Frame, Visitor};

/// How many are on a page.
const LISTED: u64 = 100;
/// How far back the list goes.
const WEEK: Span = Span::from_micros(7 * 86_400 * 1_000_000);

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![Operation::get("/events", "Lists events").needs(Need::Inspect, list)]
}

/// An event as it is shown.
struct Shown {
    id: String,
    at: Html,
    icon: &'static str,
    name: Html,
    resource: Html,
    related: Html,
    whole: Html,
}

#[derive(Template)]
#[template(path = "events.html")]
struct EventsPage {
    frame: Frame,
    prefix: Html,
    q: Html,
    events: Vec<Shown>,
    is_more: bool,
}

/// What is shown of one.
struct Seen(Stored);

impl Redact for Seen {
    fn redact(&mut self, reader: &Reader<'_>) {
        let mask = reader.of_nobody();
        let event = &mut self.0.event;
        mask.over(event.resource.labels_mut());
        for related in &mut event.related {
            mask.over(related.labels_mut());
        }
        mask.over(&mut event.payload);
    }
}

async fn list(State(ctx): State<Ctx>, visitor: Visitor) -> Answer {
    let prefix = visitor.asked("event").unwrap_or_default();
    let prefix: String = prefix.trim_end_matches('*').chars().take(200).collect();
    let q = visitor.asked("q").unwrap_or_default();
    let q: String = q.chars().take(TextQuery::MOST).collect();
    let now = ctx.app.now();
    let prefixes = Some(prefix.clone()).filter(|prefix| !prefix.is_empty());
    let filter = Filter {
        since: now - WEEK,
        until: now,
        name: Names {
            prefixes: prefixes.into_iter().collect(),
            ..Names::default()
        },
        resource: OfResource::default(),
        distinct: false,
        related: Vec::new(),
        any_resource: Vec::new(),
        ids: Vec::new(),
        text: TextQuery::read(&q),
        newest_first: true,
    };
    let page = ctx.app.events(filter, None::<Cursor>, LISTED).await?;
    let is_more = page.next.is_some();
    let seen = page.events.into_iter().map(Seen).collect::<Vec<_>>();
    let seen = visitor.masked(seen).await?;
    ok(&EventsPage {
        frame: visitor.frame(&ctx, "events", "Events").await?,
        prefix: text(&prefix),
        q: text(&q),
        events: seen.iter().map(|Seen(stored)| shown(stored)).collect(),
        is_more,
    })
}

fn shown(stored: &Stored) -> Shown {
    let event = &stored.event;
    let name_of = |resource: &crate::domain::event::Resource| {
        short(resource.label(NAME).unwrap_or_else(|| resource.id()))
    };
    let related = event
        .related
        .iter()
        .take(3)
        .map(|it| name_of(it).to_string());
    let related: Vec<_> = related.collect();
    let whole = serde_json::json!({
        "id": event.id.to_string(),
        "occurred": event.occurred.iso(),
        "event": event.name,
        "resource": event.resource.labels(),
        "related": event.related.iter().map(|it| it.labels()).collect::<Vec<_>>(),
        "payload": event.payload,
        "follows": event.follows.map(|id| id.to_string()),
    });
    Shown {
        id: event.id.to_string(),
        at: times::exact(event.occurred),
        icon: icon(&event.name),
        name: short(&event.name),
        resource: name_of(&event.resource),
        related: Html::of(related.join(" · ")),
        whole: lines(&serde_json::to_string_pretty(&whole).unwrap_or_default()),
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

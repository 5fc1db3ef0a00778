//! One event, whole.

use askama::Template;
use axum::extract::State;

use super::events::{Seen, name_of};
use crate::api::{Ctx, Need, Operation};
use crate::app::Cursor;
use crate::domain::error::Error;
use crate::domain::event::filter::{Filter, Names, OfResource};
use crate::domain::event::{Resource, Stored};
use crate::domain::filter::TextQuery;
use crate::domain::ids::EventId;
use crate::domain::time::{Span, Timestamp};
use crate::pages::answer::{Answer, ok};
use crate::pages::path::Id;
use crate::pages::show::json::Pair;
use crate::pages::show::{Html, in_address, lines, short, times};
use crate::pages::visitor::{Frame, Visitor};

/// How far ahead of this machine's clock a sender's may be.
const AHEAD: Span = Span::from_micros(366 * 86_400 * 1_000_000);

/// What there is to ask; the second is where Prefect's UI has it.
pub fn operations() -> Vec<Operation> {
    let shows = "Shows an event";
    vec![
        Operation::get("/events/event/{id}", shows).needs(Need::Inspect, show),
        Operation::get("/events/event/{day}/{id}", shows).needs(Need::Inspect, show),
    ]
}

#[derive(Template)]
#[template(path = "event.html")]
struct EventPage {
    frame: Frame,
    name: Html,
    like: String,
    resource: Html,
    about: Vec<Pair>,
    whole: Html,
}

async fn show(State(ctx): State<Ctx>, Id(id): Id<EventId>, visitor: Visitor) -> Answer {
    let now = ctx.app.now();
    let filter = Filter {
        since: Timestamp::from_micros(0),
        until: now + AHEAD,
        name: Names::default(),
        resource: OfResource::default(),
        distinct: false,
        related: Vec::new(),
        any_resource: Vec::new(),
        ids: vec![id],
        text: TextQuery::read(""),
        newest_first: true,
    };
    let found = ctx.app.events(filter, None::<Cursor>, 1).await?;
    let found = found.events.into_iter().next();
    let found = found.ok_or_else(|| Error::not_found("Event"))?;
    let Seen(found) = visitor.masked(Seen(found)).await?;
    let event = &found.event;
    ok(&EventPage {
        frame: visitor.frame(&ctx, "events", &event.name).await?,
        name: short(&event.name),
        like: format!("/events?event={}", in_address(&event.name)),
        resource: name_of(&event.resource),
        about: about(&found, now),
        whole: lines(&whole(&found)),
    })
}

fn about(stored: &Stored, now: Timestamp) -> Vec<Pair> {
    let event = &stored.event;
    let pair = |name: Html, value: Html| Pair { name, value };
    let mut all = vec![
        pair(Html::fixed("Happened"), times::when(event.occurred, now)),
        pair(Html::fixed("Arrived"), times::when(stored.received, now)),
        pair(Html::fixed("Resource"), led(&event.resource)),
    ];
    let related = event.related.iter().take(20);
    all.extend(related.map(|it| {
        let role = it.label("prefect.resource.role").unwrap_or("related");
        pair(short(role), led(it))
    }));
    if let Some(before) = event.follows {
        let link = format!("<a class=\"link\" href=\"/events/event/{before}\">another</a>");
        all.push(pair(Html::fixed("Follows"), Html::of(link)));
    }
    all.push(pair(
        Html::fixed("Id"),
        Html::of(format!("<code class=\"sel\">{}</code>", event.id)),
    ));
    all
}

/// A resource's name, as a link where it has a page.
fn led(resource: &Resource) -> Html {
    let name = name_of(resource);
    let pages = [
        ("prefect.flow-run.", "/runs/flow-run/"),
        ("prefect.task-run.", "/runs/task-run/"),
        ("prefect.deployment.", "/deployments/deployment/"),
        ("prefect.flow.", "/flows/flow/"),
        ("prefect.automation.", "/automations/automation/"),
    ];
    let id = resource.id();
    let found = pages.iter().find_map(|(kind, page)| {
        let id = id.strip_prefix(kind)?;
        let id: uuid::Uuid = id.parse().ok()?;
        Some(format!("{page}{id}"))
    });
    match found {
        Some(href) => Html::of(format!(
            "<a class=\"link\" href=\"{href}\"><bdi>{name}</bdi></a>"
        )),
        None => name,
    }
}

fn whole(stored: &Stored) -> String {
    let event = &stored.event;
    let whole = serde_json::json!({
        "id": event.id.to_string(),
        "occurred": event.occurred.iso(),
        "event": event.name,
        "resource": event.resource.labels(),
        "related": event.related.iter().map(Resource::labels).collect::<Vec<_>>(),
        "payload": event.payload,
        "follows": event.follows.map(|id| id.to_string()),
    });
    serde_json::to_string_pretty(&whole).unwrap_or_default()
}

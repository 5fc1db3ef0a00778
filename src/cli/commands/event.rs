//! Events.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Ctl;
use crate::cli::args::{Event as Command, Events, Output};
use crate::cli::failure::Result;
use crate::cli::render::{self, keep, spare};

/// The most events of a page.
const PAGE: u64 = 50;
/// How often it is asked what has come.
const EVERY: Duration = Duration::from_secs(1);
/// How long before the last one others may have happened that arrive after it.
const LATE: chrono::TimeDelta = chrono::TimeDelta::seconds(10);

/// An event as it is shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Event {
    id: String,
    occurred: DateTime<Utc>,
    event: String,
    resource: Value,
    related: Value,
    payload: Value,
}

#[derive(Deserialize)]
struct Page {
    events: Vec<Event>,
}

/// Carries a command on events out.
pub async fn carry_out(ctl: &Ctl, command: Command) -> Result<()> {
    match command {
        Command::Ls {
            which,
            since,
            limit,
        } => ls(ctl, &which, since, limit).await,
        Command::Follow { which } => follow(ctl, &which).await,
    }
}

/// What of the events up to a moment, or from one on, is asked.
fn asked(
    which: &Events,
    order: &str,
    since: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
) -> Value {
    let text = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Micros, true);
    let beginning = which.name.as_ref().map(|name| json!({ "prefix": [name] }));
    let resource = which.resource.as_ref().map(|id| json!({ "id": [id] }));
    json!({
        "order": order,
        "occurred": { "since": since.map(text), "until": until.map(text) },
        "event": beginning,
        "any_resource": resource,
    })
}

async fn page(ctl: &Ctl, filter: &Value, limit: u64) -> Result<Vec<Event>> {
    let body = json!({ "filter": filter, "limit": limit });
    let page: Page = ctl.client.post("/events/filter", &body).await?;
    Ok(page.events)
}

async fn ls(ctl: &Ctl, which: &Events, since: Option<DateTime<Utc>>, limit: u64) -> Result<()> {
    let mut all: Vec<Event> = Vec::new();
    let mut seen = HashSet::new();
    while (all.len() as u64) < limit {
        let until = all.last().map(|event| event.occurred);
        let filter = asked(which, "DESC", since, until);
        let page = page(ctl, &filter, PAGE).await?;
        let count = page.len() as u64;
        let before = all.len();
        all.extend(
            page.into_iter()
                .filter(|event| seen.insert(event.id.clone())),
        );
        if count < PAGE || all.len() == before {
            break;
        }
    }
    all.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    render::print(ctl.output, &all, |all| match all.is_empty() {
        true => "There are no such events.".to_owned(),
        false => table(all),
    })
}

fn table(all: &[Event]) -> String {
    let now = Utc::now();
    let rows = all.iter().map(|event| {
        let (resource, name) = resource(event);
        [
            render::ago(event.occurred, now),
            event.event.clone(),
            resource.to_owned(),
            name.to_owned(),
        ]
    });
    let head = [
        keep("happened"),
        keep("event"),
        spare("resource", 1),
        spare("name", 2),
    ];
    render::table(head, rows)
}

fn resource(event: &Event) -> (&str, &str) {
    let label = |name: &str| {
        event
            .resource
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    (label("prefect.resource.id"), label("prefect.resource.name"))
}

async fn follow(ctl: &Ctl, which: &Events) -> Result<()> {
    let mut since = Utc::now();
    let mut seen = HashMap::new();
    loop {
        let filter = asked(which, "ASC", Some(since), None);
        let page = page(ctl, &filter, PAGE).await?;
        let is_full = page.len() as u64 == PAGE;
        let last = page.last().map(|event| event.occurred);
        for event in page {
            if seen.insert(event.id.clone(), event.occurred).is_none() {
                show(ctl, &event)?;
            }
        }
        match (is_full, last) {
            (true, Some(last)) if last > since => since = last,
            _ => {
                let now = Utc::now() - LATE;
                since = since.max(now);
                seen.retain(|_, occurred| *occurred >= since);
                tokio::time::sleep(EVERY).await;
            }
        }
    }
}

fn show(ctl: &Ctl, event: &Event) -> Result<()> {
    match ctl.output {
        Output::Table => {
            let (resource, name) = resource(event);
            let at = render::clock(event.occurred, Utc::now());
            let words = [at.as_str(), event.event.as_str(), resource, name].join("  ");
            render::line(&render::text(words.trim_end()))
        }
        Output::Json | Output::Yaml => render::line(&render::json_line(event)?),
    }
}

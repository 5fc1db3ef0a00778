//! Automations.

use serde_json::{Value, json};

use super::Ctl;
use crate::api::v3::wire::{Automation, AutomationQuery};
use crate::cli::args::Automation as Command;
use crate::cli::failure::{Failure, Result};
use crate::cli::render::{self, keep, spare};
use crate::domain::filter::MAX_PAGE;

/// Carries a command on automations out.
pub async fn carry_out(ctl: &Ctl, command: Command) -> Result<()> {
    match command {
        Command::Ls => ls(ctl).await,
        Command::Inspect { automation } => {
            let found = find(ctl, &automation).await?;
            render::print(ctl.output, &found, shown)
        }
        Command::Pause { automation } => switch(ctl, &automation, false).await,
        Command::Resume { automation } => switch(ctl, &automation, true).await,
    }
}

async fn all(ctl: &Ctl) -> Result<Vec<Automation>> {
    let mut all: Vec<Automation> = Vec::new();
    loop {
        let query = AutomationQuery {
            offset: all.len() as u64,
            ..AutomationQuery::default()
        };
        let page: Vec<Automation> = ctl.client.post("/automations/filter", &query).await?;
        let is_last = (page.len() as u64) < MAX_PAGE;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

/// The automation of that id or, if there is only one, of that name.
async fn find(ctl: &Ctl, wanted: &str) -> Result<Automation> {
    let is_it = |one: &Automation| one.name == wanted || one.id.to_string().starts_with(wanted);
    let mut found: Vec<_> = all(ctl).await?.into_iter().filter(is_it).collect();
    let exact = found.iter().position(|one| one.id.to_string() == wanted);
    match (exact, found.len()) {
        (Some(place), _) => Ok(found.swap_remove(place)),
        (None, 1) => Ok(found.swap_remove(0)),
        (None, 0) => Err(Failure::new(format!(
            "there is no automation {wanted:?}; `prefectctl automation ls` lists them"
        ))),
        (None, many) => Err(Failure::new(format!(
            "{many} automations are called {wanted:?}; name one by its id"
        ))),
    }
}

async fn ls(ctl: &Ctl) -> Result<()> {
    let found = all(ctl).await?;
    render::print(ctl.output, &found, |found| match found.is_empty() {
        true => "There are no automations.".to_owned(),
        false => table(found),
    })
}

fn table(all: &[Automation]) -> String {
    let rows = all.iter().map(|one| {
        [
            one.name.clone(),
            one.id.to_string(),
            state(one).to_owned(),
            waits_for(&one.trigger),
            does(one),
        ]
    });
    let head = [
        keep("name"),
        keep("id"),
        keep("state"),
        spare("waits for", 1),
        spare("does", 2),
    ];
    render::table(head, rows)
}

const fn state(one: &Automation) -> &'static str {
    match one.enabled {
        true => "active",
        false => "paused",
    }
}

/// What a trigger waits for, in a few words.
fn waits_for(trigger: &Value) -> String {
    let texts = |name: &str| {
        let list = trigger
            .get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        list.filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(", ")
    };
    if let Some(parts) = trigger.get("triggers").and_then(Value::as_array) {
        let parts: Vec<_> = parts.iter().map(waits_for).collect();
        let by = match word(trigger, "type") {
            Some("sequence") => ", then ",
            _ => " and ",
        };
        return parts.join(by);
    }
    let events = match texts("expect") {
        events if events.is_empty() => "any event".to_owned(),
        events => events,
    };
    match word(trigger, "posture") {
        Some("Proactive") => format!("no {events}"),
        _ => events,
    }
}

fn word<'a>(document: &'a Value, name: &str) -> Option<&'a str> {
    document.get(name).and_then(Value::as_str)
}

fn does(one: &Automation) -> String {
    let actions = one.actions.iter().chain(&one.actions_on_trigger);
    let words: Vec<_> = actions.filter_map(|action| word(action, "type")).collect();
    words.join(", ")
}

fn shown(one: &Automation) -> String {
    let facts = [
        ("name", one.name.clone()),
        ("id", one.id.to_string()),
        ("state", state(one).to_owned()),
        ("description", one.description.clone()),
        ("tags", one.tags.join(", ")),
        ("created", render::instant(one.created)),
        ("changed", render::instant(one.updated)),
        ("waits for", waits_for(&one.trigger)),
        ("does", does(one)),
        ("trigger", one.trigger.to_string()),
        ("actions", Value::from(one.actions.clone()).to_string()),
    ];
    render::pairs(facts.into_iter().filter(|(_, value)| !value.is_empty()))
}

async fn switch(ctl: &Ctl, wanted: &str, enabled: bool) -> Result<()> {
    let found = find(ctl, wanted).await?;
    let path = format!("/automations/{}", found.id);
    ctl.client
        .patch(&path, &json!({ "enabled": enabled }))
        .await?;
    let found: Automation = ctl.client.get(&path).await?;
    render::print(ctl.output, &found, |found| {
        let name = render::name(&found.name);
        match enabled {
            true => format!("The automation {name} looks at events"),
            false => format!("The automation {name} is paused"),
        }
    })
}

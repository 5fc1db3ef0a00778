//! Limits on what goes on at once.

use chrono::Utc;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Ctl;
use crate::api::v3::wire::{GlobalLimit, Held};
use crate::cli::args::Limit as Command;
use crate::cli::failure::Result;
use crate::cli::find::{self, encoded};
use crate::cli::render::{self, keep, spare};
use crate::domain::concurrency_limit::DEPLOYMENT;
use crate::domain::filter::MAX_PAGE;

/// Carries a command on limits out.
pub async fn carry_out(ctl: &Ctl, command: Command) -> Result<()> {
    match command {
        Command::Ls => ls(ctl).await,
        Command::Holders { limit } => holders(ctl, &limit).await,
    }
}

/// A limit with the name by which people know it: one of a deployment has that of the deployment.
struct Named {
    name: String,
    limit: GlobalLimit,
}

async fn ls(ctl: &Ctl) -> Result<()> {
    let mut all = Vec::new();
    for limit in every(ctl).await? {
        let of = limit.name.strip_prefix(DEPLOYMENT);
        let of = of.and_then(|id| id.parse::<Uuid>().ok());
        let path = match of {
            // One that has gone since stands there by its id.
            Some(id) => find::deployment(&ctl.client, &id.to_string()).await.ok(),
            None => None,
        };
        let name = match path {
            Some((_, path)) => format!("{DEPLOYMENT}{path}"),
            None => limit.name.clone(),
        };
        all.push(Named { name, limit });
    }
    all.sort_by(|one, other| one.name.cmp(&other.name));
    let told: Vec<Value> = all.iter().map(told).collect();
    render::print(ctl.output, &told, |_| match all.is_empty() {
        true => "There are no limits; `prefect gcl create` makes one.".to_owned(),
        false => table(&all),
    })
}

/// For programs: with the name that commands want.
fn told(named: &Named) -> Value {
    let mut told = json!(named.limit);
    if let Value::Object(fields) = &mut told {
        fields.insert("path".to_owned(), json!(named.name));
    }
    told
}

async fn every(ctl: &Ctl) -> Result<Vec<GlobalLimit>> {
    let mut all: Vec<GlobalLimit> = Vec::new();
    loop {
        let query = json!({ "offset": all.len() });
        let path = "/v2/concurrency_limits/filter";
        let page: Vec<GlobalLimit> = ctl.client.post(path, &query).await?;
        let is_last = (page.len() as u64) < MAX_PAGE;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

fn table(all: &[Named]) -> String {
    let rows = all.iter().map(|Named { name, limit }| {
        let decay = limit.slot_decay_per_second;
        [
            name.clone(),
            format!("{} of {}", limit.active_slots, limit.limit),
            match limit.active {
                true => String::new(),
                false => "off".to_owned(),
            },
            match decay > 0.0 {
                true => format!("{decay} a second"),
                false => String::new(),
            },
            limit.id.to_string(),
        ]
    });
    let head = [
        keep("name"),
        keep("taken"),
        spare("", 3),
        spare("come back", 1),
        spare("id", 2),
    ];
    render::table(head, rows)
}

async fn holders(ctl: &Ctl, wanted: &str) -> Result<()> {
    let of = match wanted.strip_prefix(DEPLOYMENT) {
        Some(path) => find::deployment(&ctl.client, path).await.ok(),
        None => None,
    };
    let limit = of.and_then(|(deployment, _)| deployment.global_concurrency_limit);
    let name = limit.map_or_else(|| wanted.to_owned(), |limit| limit.id.to_string());
    let path = format!("/prefectd/concurrency_limits/{}/holders", encoded(&name));
    let found: Vec<Held> = ctl.client.get(&path).await?;
    render::print(ctl.output, &found, |found| match found.is_empty() {
        true => "Nobody who said who he is holds a slot of it.".to_owned(),
        false => held(found),
    })
}

fn held(all: &[Held]) -> String {
    let now = Utc::now();
    let rows = all.iter().map(|it| {
        [
            it.kind.replace('_', " "),
            it.name.clone().unwrap_or_default(),
            it.slots.to_string(),
            render::near(it.since.utc(), now),
            it.until.map_or_else(
                || "it is given back".to_owned(),
                |at| render::near(at.utc(), now),
            ),
            it.id.to_string(),
        ]
    });
    let head = [
        keep("held by"),
        keep("name"),
        keep("slots"),
        keep("since"),
        spare("until", 1),
        spare("id", 2),
    ];
    render::table(head, rows)
}

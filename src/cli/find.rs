//! From what a user writes to the thing that is meant.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::client::Client;
use super::failure::{Failure, Result};
use super::pages;
use super::render;
use crate::api::v3::wire::{
    ByName, Deployment, DeploymentFilter, Flow, FlowFilter, FlowRun, FlowRunFilter, Named, Query,
    TaskRun, TaskRunFilter,
};

/// How many candidates a message names.
const NAMED: usize = 5;
/// The most things of one name that are looked at.
const MOST: u64 = 200;

/// The deployment FLOW/NAME, of that id, or of the only id that begins so. Both names may hold
/// slashes.
pub async fn deployment(client: &Client, wanted: &str) -> Result<(Deployment, String)> {
    let splits: Vec<_> = wanted
        .match_indices('/')
        .map(|(at, _)| {
            (
                wanted.get(..at).unwrap_or_default(),
                wanted.get(at + 1..).unwrap_or_default(),
            )
        })
        .filter(|(flow, name)| !flow.is_empty() && !name.is_empty())
        .collect();
    if splits.is_empty() {
        if !looks_like_id(wanted) {
            return Err(not_a_path(client, wanted).await);
        }
        let id = by_beginning(client, "deployments", "deployment", wanted).await?;
        let found: Deployment = client.get(&format!("/deployments/{id}")).await?;
        let flow: Flow = client.get(&format!("/flows/{}", found.flow_id)).await?;
        let path = format!("{}/{}", flow.name, found.name);
        return Ok((found, path));
    }
    let names = splits.iter().map(|(_, name)| (*name).to_owned()).collect();
    let flows = splits.iter().map(|(flow, _)| (*flow).to_owned()).collect();
    let query = Query {
        flows: Some(flow_named(flows)),
        deployments: Some(DeploymentFilter {
            name: named(names),
            ..DeploymentFilter::default()
        }),
        ..Query::default()
    };
    let candidates: Vec<Deployment> =
        pages::all(client, "/deployments/filter", &query, MOST).await?;
    let mut found = Vec::new();
    for candidate in candidates {
        let flow: Flow = client.get(&format!("/flows/{}", candidate.flow_id)).await?;
        if format!("{}/{}", flow.name, candidate.name) == wanted {
            found.push((candidate, flow.name));
        }
    }
    let described = |(it, flow): &(Deployment, String)| {
        format!("{} ({} of the flow {:?})", it.id, it.name, flow)
    };
    let (deployment, _) = only_one(found, "deployment", wanted, described)?;
    Ok((deployment, wanted.to_owned()))
}

/// A deployment was named without its flow.
async fn not_a_path(client: &Client, wanted: &str) -> Failure {
    let query = Query {
        deployments: Some(DeploymentFilter {
            name: named(vec![wanted.to_owned()]),
            ..DeploymentFilter::default()
        }),
        ..Query::default()
    };
    // What is meant is only a help: where nothing can be asked, that will be told next.
    let found = pages::all(client, "/deployments/filter", &query, NAMED as u64).await;
    let found: Vec<Deployment> = found.unwrap_or_default();
    let mut paths = Vec::new();
    for one in &found {
        let flow = client.get::<Flow>(&format!("/flows/{}", one.flow_id)).await;
        paths.extend(flow.map(|flow| format!("{:?}", format!("{}/{wanted}", flow.name))));
    }
    let meant = if paths.is_empty() {
        "see `prefectctl deployment ls`".to_owned()
    } else {
        format!("is {} meant?", paths.join(" or "))
    };
    Failure::usage(format!("{wanted:?} is not of the form FLOW/NAME; {meant}"))
}

/// The flow run of that id, name, or unique beginning of an id.
pub async fn flow_run(client: &Client, wanted: &str) -> Result<FlowRun> {
    if let Ok(id) = Uuid::parse_str(wanted) {
        return read(client, "flow_runs", "flow run", id).await;
    }
    let query = Query {
        flow_runs: Some(FlowRunFilter {
            name: named(vec![wanted.to_owned()]),
            ..FlowRunFilter::default()
        }),
        ..Query::default()
    };
    let found: Vec<FlowRun> = client.post("/flow_runs/filter", &query).await?;
    if found.is_empty() && looks_like_id(wanted) {
        let id = by_beginning(client, "flow_runs", "flow run", wanted).await?;
        return read(client, "flow_runs", "flow run", id).await;
    }
    only_one(found, "flow run", wanted, |run| {
        format!("{} ({})", run.id, run.name)
    })
}

/// The task run of that id, name, or unique beginning of an id.
pub async fn task_run(client: &Client, wanted: &str) -> Result<TaskRun> {
    if let Ok(id) = Uuid::parse_str(wanted) {
        return read(client, "task_runs", "task run", id).await;
    }
    let query = Query {
        task_runs: Some(TaskRunFilter {
            name: named(vec![wanted.to_owned()]),
            ..TaskRunFilter::default()
        }),
        ..Query::default()
    };
    let found: Vec<TaskRun> = client.post("/task_runs/filter", &query).await?;
    if found.is_empty() && looks_like_id(wanted) {
        let id = by_beginning(client, "task_runs", "task run", wanted).await?;
        return read(client, "task_runs", "task run", id).await;
    }
    only_one(found, "task run", wanted, |run| {
        format!("{} ({})", run.id, run.name)
    })
}

/// The flow of that name, id, or unique beginning of an id.
pub async fn flow(client: &Client, wanted: &str) -> Result<Flow> {
    let query = Query {
        flows: Some(flow_named(vec![wanted.to_owned()])),
        ..Query::default()
    };
    let found: Vec<Flow> = client.post("/flows/filter", &query).await?;
    if found.is_empty() && looks_like_id(wanted) {
        let id = by_beginning(client, "flows", "flow", wanted).await?;
        return read(client, "flows", "flow", id).await;
    }
    only_one(found, "flow", wanted, |flow| flow.id.to_string())
}

async fn read<T: DeserializeOwned>(client: &Client, noun: &str, what: &str, id: Uuid) -> Result<T> {
    let read = client.get(&format!("/{noun}/{id}")).await;
    read.map_err(|failure: Failure| match failure.status() {
        Some(404) => absent(what, &id.to_string()),
        _ => failure,
    })
}

fn named(names: Vec<String>) -> Option<ByName> {
    Some(ByName {
        any_: Some(names),
        ..ByName::default()
    })
}

/// A question about flows of these names.
fn flow_named(names: Vec<String>) -> FlowFilter {
    FlowFilter {
        name: named(names),
        ..FlowFilter::default()
    }
}

fn looks_like_id(text: &str) -> bool {
    let hexadecimal = |c: char| c.is_ascii_hexdigit() || c == '-';
    text.starts_with(|c: char| c.is_ascii_hexdigit()) && text.chars().all(hexadecimal)
}

async fn by_beginning(client: &Client, noun: &str, what: &str, beginning: &str) -> Result<Uuid> {
    let path = format!("/prefectd/ids/{noun}/{}", encoded(beginning));
    let found: Vec<Named> = match client.get(&path).await {
        // It is longer than an id.
        Err(failure) if failure.status() == Some(422) => Vec::new(),
        found => found?,
    };
    let described = |it: &Named| format!("{} ({})", it.id, it.name);
    only_one(found, what, beginning, described).map(|it| it.id)
}

fn absent(what: &str, wanted: &str) -> Failure {
    let noun = what.replace(' ', "-");
    Failure::new(format!(
        "there is no {what} {wanted:?}; see `prefectctl {noun} ls`"
    ))
}

fn only_one<T>(
    mut found: Vec<T>,
    what: &str,
    wanted: &str,
    described: impl Fn(&T) -> String,
) -> Result<T> {
    if found.len() > 1 {
        let mut ids: Vec<_> = found.iter().take(NAMED).map(described).collect();
        if found.len() > NAMED {
            ids.push("…".to_owned());
        }
        let line = format!(
            "{} are meant by {wanted:?}: {}; name one by its id",
            render::many(found.len(), what),
            ids.join(", ")
        );
        return Err(Failure::new(line));
    }
    found.pop().ok_or_else(|| absent(what, wanted))
}

/// What a name needs no escape for in a path.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// A name as a part of a path.
pub fn encoded(name: &str) -> String {
    utf8_percent_encode(name, PLAIN).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_in_paths() {
        assert_eq!(encoded("my flow/ä"), "my%20flow%2F%C3%A4");
    }

    #[test]
    fn only_hexadecimal_text_is_taken_for_the_start_of_an_id() {
        assert!(looks_like_id("01a2-b"));
        assert!(!looks_like_id("brave-owl"));
        assert!(!looks_like_id("-") && !looks_like_id(""));
    }
}

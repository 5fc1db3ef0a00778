//! From what a user writes to the thing that is meant.

use uuid::Uuid;

use super::client::Client;
use super::failure::{Failure, Result};
use crate::api::v3::wire::{ById, ByText, Deployment, FlowRun, FlowRunFilter, Query};

/// The most runs whose ids are looked through for a prefix.
const MOST: u64 = 2000;
/// How many candidates a message names.
const NAMED: usize = 5;

/// The deployment FLOW/NAME.
pub async fn deployment(client: &Client, name: &str) -> Result<Deployment> {
    let Some((flow, name)) = name
        .split_once('/')
        .filter(|(f, n)| !f.is_empty() && !n.is_empty())
    else {
        let line = format!("{name:?} is not of the form FLOW/NAME; see `prefectctl deployment ls`");
        return Err(Failure::usage(line));
    };
    let path = format!("/deployments/name/{}/{}", encoded(flow), encoded(name));
    client.get(&path).await.map_err(|failure| match failure {
        missing if missing.to_string() == "Deployment not found" => Failure::new(format!(
            "there is no deployment {flow}/{name}; see `prefectctl deployment ls`"
        )),
        other => other,
    })
}

/// The flow run of that id, name, or start of an id.
pub async fn flow_run(client: &Client, wanted: &str) -> Result<FlowRun> {
    let filter = match Uuid::parse_str(wanted) {
        Ok(id) => FlowRunFilter {
            id: Some(ById {
                any_: Some(vec![id]),
                ..ById::default()
            }),
            ..FlowRunFilter::default()
        },
        Err(_) => FlowRunFilter {
            name: Some(ByText {
                any_: Some(vec![wanted.to_owned()]),
            }),
            ..FlowRunFilter::default()
        },
    };
    let query = Query {
        flow_runs: Some(filter),
        ..Query::default()
    };
    let mut found: Vec<FlowRun> = client.post("/flow_runs/filter", &query).await?;
    if found.is_empty() && looks_like_id(wanted) {
        found = by_prefix(client, wanted).await?;
    }
    only_one(found, wanted)
}

fn looks_like_id(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

async fn by_prefix(client: &Client, prefix: &str) -> Result<Vec<FlowRun>> {
    let prefix = prefix.to_ascii_lowercase();
    let mut found = Vec::new();
    let mut offset = 0;
    while offset < MOST {
        let query = Query {
            offset,
            ..Query::default()
        };
        let page: Vec<FlowRun> = client.post("/flow_runs/filter", &query).await?;
        let count = page.len() as u64;
        let matching = page
            .into_iter()
            .filter(|run| run.id.to_string().starts_with(&prefix));
        found.extend(matching);
        offset += count;
        if count == 0 {
            break;
        }
    }
    Ok(found)
}

fn only_one(mut found: Vec<FlowRun>, wanted: &str) -> Result<FlowRun> {
    match found.len() {
        0 => Err(Failure::new(format!(
            "there is no flow run {wanted:?}; see `prefectctl flow-run ls`"
        ))),
        1 => Ok(found.remove(0)),
        count => {
            let ids = found
                .iter()
                .take(NAMED)
                .map(|run| format!("{} ({})", run.id, run.name));
            let ids: Vec<_> = ids.collect();
            let line = format!(
                "{count} flow runs are called {wanted:?}: {}",
                ids.join(", ")
            );
            Err(Failure::new(line))
        }
    }
}

/// A name as a part of a path.
pub fn encoded(name: &str) -> String {
    name.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
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
        assert!(!looks_like_id(""));
    }
}

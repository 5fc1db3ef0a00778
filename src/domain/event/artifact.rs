//! The events of collections of artifacts, as the 3.9 server tells them.

use serde_json::{Value, json};

use super::{Event, Happened, ID, NAME, Resource};
use crate::domain::JsonMap;
use crate::domain::artifact::Collection;
use crate::domain::ids::EventId;
use crate::domain::time::Timestamp;

/// The most bytes of an artifact's data that its event repeats; larger data is left out.
const MOST_DATA: usize = 100_000;

/// That a collection has its first artifact, has another latest one, or that its last is gone.
pub fn told(happened: Happened, collection: &Collection, now: Timestamp) -> Event {
    let Collection {
        id,
        created: _,
        updated: _,
        key,
        latest_id,
        content,
    } = collection;
    let latest = Resource::in_role("latest", format!("prefect.artifact.{latest_id}"));
    let flow_run = content.flow_run_id.map(|id| run("flow-run", id));
    let task_run = content.task_run_id.map(|id| run("task-run", id));
    let payload = [
        ("key", json!(key)),
        ("type", json!(content.kind)),
        ("data", data(content.data.as_ref())),
        ("description", json!(content.description)),
    ];
    Event {
        id: EventId::new(),
        occurred: now,
        name: format!("prefect.artifact-collection.{}", happened.word()),
        resource: Resource::of([
            (ID, format!("prefect.artifact-collection.{id}")),
            (NAME, key.clone()),
        ]),
        related: [Some(latest), flow_run, task_run]
            .into_iter()
            .flatten()
            .collect(),
        payload: JsonMap::from_iter(payload.map(|(name, value)| (name.to_owned(), value))),
        follows: None,
    }
}

fn run(role: &str, id: impl std::fmt::Display) -> Resource {
    Resource::in_role(role, format!("prefect.{role}.{id}"))
}

fn data(data: Option<&Value>) -> Value {
    let fits = |data: &&Value| data.to_string().len() <= MOST_DATA;
    data.filter(fits).cloned().unwrap_or_default()
}

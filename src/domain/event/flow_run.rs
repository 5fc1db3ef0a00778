//! The event of a flow run that enters a state.
//!
//! Mirrors `flow_run_state_change_event` of the 3.9 server: named after the state, of the state's
//! id, so that what is told of a step is known by it.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::lifecycle::POOL_TYPE;
use super::{Event, ID, MOST_RELATED, NAME, Resource};
use crate::domain::JsonMap;
use crate::domain::actor::ActorKind;
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::EventId;
use crate::domain::state::{State, StateType};
use crate::domain::time::{Span, Timestamp};

/// The most bytes of a state's message, which some fill with results.
const MOST_MESSAGE: usize = 100_000;
/// States closer to each other are told in their order, whenever they arrive.
const CLOSE: Span = Span::from_micros(5 * 60 * 1_000_000);

/// Something that a run belongs to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Named {
    /// What kind of thing, as resources are named: `flow`, `work-pool` ...
    pub kind: &'static str,
    /// Its id, as text.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// On a work pool: its type.
    pub pool_type: Option<String>,
}

impl Named {
    /// The same as what an event is related to.
    pub fn resource(self) -> Resource {
        let id = format!("prefect.{}.{}", self.kind, self.id);
        let resource = Resource::in_role(self.kind, id).with(NAME, self.name);
        match self.pool_type {
            Some(pool_type) => resource.with(POOL_TYPE, pool_type),
            None => resource,
        }
    }
}

/// That a run entered `to` from `from`, after which it had run `run_count` times.
pub fn entered(
    run: &FlowRun,
    run_count: i64,
    (from, to): (Option<&State>, &State),
    belongs_to: Vec<Named>,
) -> Event {
    let message = to.message.as_deref().unwrap_or_default();
    let resource = Resource::of([
        (ID, format!("prefect.flow-run.{}", run.id)),
        (NAME, run.name.clone()),
        ("prefect.run-count", run_count.to_string()),
        ("prefect.state-message", shortened(message).to_owned()),
        ("prefect.state-name", to.name.clone()),
        ("prefect.state-timestamp", written(to.timestamp)),
        ("prefect.state-type", to.kind.word().to_owned()),
    ]);
    let intended = json!({ "from": from.map(|state| state.kind.word()), "to": to.kind.word() });
    let payload = [
        ("intended", intended),
        ("initial_state", from.map_or(Value::Null, told)),
        ("validated_state", told(to)),
    ];
    let is_close = |from: &&State| {
        let between = to.timestamp - from.timestamp;
        between < CLOSE
    };
    Event {
        id: EventId::from_uuid(to.id.uuid()),
        occurred: to.timestamp,
        name: format!("prefect.flow-run.{}", to.name),
        resource,
        related: related(run, belongs_to),
        payload: JsonMap::from_iter(payload.map(|(key, value)| (key.to_owned(), value))),
        follows: from
            .filter(is_close)
            .map(|from| EventId::from_uuid(from.id.uuid())),
    }
}

/// What a run belongs to, the tags of all of it, and what created the run.
fn related(run: &FlowRun, belongs_to: Vec<Named>) -> Vec<Resource> {
    let mut tags = run.tags.clone();
    let mut related = Vec::new();
    for one in belongs_to {
        tags.extend(one.tags.clone());
        related.push(one.resource());
    }
    tags.sort();
    tags.dedup();
    let creator = creator(run);
    let room = MOST_RELATED - related.len() - usize::from(creator.is_some());
    let tag = |tag| Resource::in_role("tag", format!("prefect.tag.{tag}"));
    related.extend(tags.into_iter().take(room).map(tag));
    related.extend(creator);
    related
}

fn creator(run: &FlowRun) -> Option<Resource> {
    let actor = run.created_by.as_ref()?;
    let kind = match actor.kind {
        ActorKind::Deployment => "deployment",
        ActorKind::Automation => "automation",
        ActorKind::User | ActorKind::FlowRun | ActorKind::Schedule => return None,
    };
    let creator = Resource::in_role("creator", format!("prefect.{kind}.{}", actor.id?));
    Some(creator.with(NAME, actor.name.as_str()))
}

fn told(state: &State) -> Value {
    let mut told = JsonMap::new();
    let mut say = |key: &str, value: &str| told.insert(key.to_owned(), value.into());
    say("type", state.kind.word());
    if !state.name.is_empty() {
        say("name", &state.name);
    }
    if let Some(message) = state.message.as_deref().filter(|text| !text.is_empty()) {
        say("message", shortened(message));
    }
    if state.kind == StateType::Paused {
        let is_suspended = state.details.pause_reschedule;
        say(
            "pause_reschedule",
            if is_suspended { "true" } else { "false" },
        );
    }
    Value::Object(told)
}

fn shortened(message: &str) -> &str {
    message
        .get(..message.floor_char_boundary(MOST_MESSAGE))
        .unwrap_or(message)
}

/// As Python writes it.
fn written(at: Timestamp) -> String {
    let written = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Micros, false);
    at.utc().map(written).unwrap_or_default()
}

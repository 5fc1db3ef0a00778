//! The events that tell of automations. Mirror those of the 3.9 server.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Action, Automation, Firing, Plan, Trigger};
use crate::domain::JsonMap;
use crate::domain::event::{Event, ID, MOST_RELATED, NAME, Resource};
use crate::domain::ids::{AutomationId, EventId};
use crate::domain::time::{Span, Timestamp};

/// What happens closer to each other is told to follow each other.
const CLOSE: Span = Span::from_micros(5 * 60 * 1_000_000);

/// The resource that an automation is.
fn resource(id: AutomationId, plan: &Plan) -> Resource {
    Resource::of([(ID, resource_id(id)), (NAME, plan.name.clone())])
}

/// How events name an automation.
pub fn resource_id(id: AutomationId) -> String {
    format!("prefect.automation.{id}")
}

fn about_event(id: EventId, role: &str) -> Resource {
    Resource::in_role(role, format!("prefect.event.{id}"))
}

/// That an automation was `created`, `updated` or `deleted`, with what it is like.
pub fn changed(automation: &Automation, how: &str, now: Timestamp) -> Event {
    Event {
        id: EventId::new(),
        occurred: now,
        name: format!("prefect.automation.{how}"),
        resource: resource(automation.id, &automation.plan),
        related: Vec::new(),
        payload: document(automation),
        follows: None,
    }
}

/// An automation as its event and templates have it.
pub fn document(automation: &Automation) -> JsonMap {
    let Automation {
        id,
        created,
        updated,
        plan,
    } = automation;
    let mut document = JsonMap::from_iter([
        ("id".to_owned(), id.to_string().into()),
        ("created".to_owned(), created.iso().into()),
        ("updated".to_owned(), updated.iso().into()),
    ]);
    // What came of JSON can be written as such.
    if let Ok(Value::Object(plan)) = serde_json::to_value(plan) {
        document.extend(plan);
    }
    document
}

/// That an automation has fired, because of an event, which is told as JSON.
pub fn triggered(
    automation: (AutomationId, &Plan),
    id: EventId,
    firing: &Firing,
    because: Option<(EventId, Value)>,
) -> Event {
    let (automation, plan) = automation;
    let mut resource = resource(automation, plan);
    if let Trigger::Event(event) = &plan.trigger {
        resource = resource.with("prefect.posture", event.posture.word());
    }
    let related = because
        .as_ref()
        .map(|(id, _)| about_event(*id, "triggering-event"));
    let event = because.map_or(Value::Null, |(_, event)| event);
    let payload = json!({ "triggering_labels": firing.labels, "triggering_event": event });
    Event {
        id,
        occurred: firing.triggered(),
        name: "prefect.automation.triggered".to_owned(),
        resource,
        related: related.into_iter().collect(),
        payload: payload.as_object().cloned().unwrap_or_default(),
        follows: None,
    }
}

/// An action that an automation does.
#[derive(Clone, Debug)]
pub struct Doing<'a> {
    /// The automation.
    pub automation: (AutomationId, &'a Plan),
    /// Names this one time that the action is done.
    pub invocation: Uuid,
    /// The action.
    pub action: &'a Action,
    /// Its place among those of the firing.
    pub index: i64,
    /// When the automation fired.
    pub triggered: Timestamp,
    /// The event that tells that it fired.
    pub told: EventId,
    /// The event that it is because of, and when that happened.
    pub because: Option<(EventId, Timestamp)>,
}

/// What became of an action.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Why it failed; absent when it was done.
    pub failure: Option<String>,
    /// What else there is to say.
    pub details: JsonMap,
    /// What it was on, and what came of it.
    pub related: Vec<Resource>,
    /// What else happened on the way.
    pub also: Vec<Event>,
}

/// That an action was begun, what happened on the way, and that it was done or failed.
pub fn done(doing: &Doing<'_>, outcome: Outcome, now: Timestamp) -> Vec<Event> {
    let (id, plan) = doing.automation;
    let resource = resource(id, plan).with("prefect.trigger-type", plan.trigger.word());
    let resource = match &plan.trigger {
        Trigger::Event(event) => resource.with("prefect.posture", event.posture.word()),
        Trigger::Compound(_) | Trigger::Sequence(_) => resource,
    };
    let mut related = outcome.related;
    related.truncate(MOST_RELATED - 2);
    related.push(about_event(doing.told, "automation-triggered-event"));
    let because = doing.because;
    related.extend(because.map(|(event, _)| about_event(event, "triggering-event")));
    let mut payload = JsonMap::from_iter([
        ("action_index".to_owned(), doing.index.into()),
        ("action_type".to_owned(), doing.action.word().into()),
        ("invocation".to_owned(), doing.invocation.to_string().into()),
    ]);
    let is_close = |(_, occurred): &(EventId, Timestamp)| doing.triggered - *occurred < CLOSE;
    let triggered = Event {
        id: EventId::new(),
        occurred: doing.triggered,
        name: "prefect.automation.action.triggered".to_owned(),
        resource: resource.clone(),
        related: related.clone(),
        payload: payload.clone(),
        follows: because.filter(is_close).map(|(event, _)| event),
    };
    let how = match outcome.failure.is_some() {
        true => "failed",
        false => "executed",
    };
    payload.extend(outcome.failure.map(|why| ("reason".to_owned(), why.into())));
    payload.extend(outcome.details);
    let ended = Event {
        id: EventId::new(),
        occurred: now,
        name: format!("prefect.automation.action.{how}"),
        resource,
        related,
        payload,
        follows: Some(triggered.id),
    };
    let mut all = vec![triggered];
    all.extend(outcome.also);
    all.push(ended);
    all
}

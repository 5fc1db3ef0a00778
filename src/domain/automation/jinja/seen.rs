//! Values as templates see them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr};

use crate::domain::JsonMap;
use crate::domain::event::{Resource, Stored};
use crate::domain::time::Timestamp;

/// A JSON value as templates see it.
pub(super) fn value(json: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match json {
        Json::Null => Value::from(()),
        Json::Bool(flag) => (*flag).into(),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            (None, Some(number)) => number.into(),
            (None, None) => number.to_string().into(),
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(all) => all.iter().map(value).collect::<Vec<_>>().into(),
        Json::Object(map) => {
            let members = map.iter().map(|(name, json)| (name.clone(), value(json)));
            members.collect::<BTreeMap<_, _>>().into()
        }
    }
}

/// An event as templates see it.
pub(super) fn event(stored: &Stored) -> Value {
    let event = &stored.event;
    let mut roles = BTreeMap::new();
    for resource in event.related.iter().rev() {
        roles.insert(resource.role().to_owned(), of_resource(resource));
    }
    let related: Vec<_> = event.related.iter().map(of_resource).collect();
    let payload = serde_json::Value::Object(event.payload.clone());
    let follows = event.follows.map(|id| id.to_string());
    let members: [(&str, Value); 10] = [
        ("id", event.id.to_string().into()),
        ("event", event.name.clone().into()),
        ("occurred", written(event.occurred).into()),
        ("received", written(stored.received).into()),
        ("resource", of_resource(&event.resource)),
        ("related", related.into()),
        ("resource_in_role", roles.into()),
        ("payload", value(&payload)),
        ("follows", follows.into()),
        ("url", format!("/events/event/{}", event.id).into()),
    ];
    BTreeMap::from(members).into()
}

/// A moment as Python writes it.
pub fn written(at: Timestamp) -> String {
    let written = at
        .utc()
        .map(|at| at.format("%Y-%m-%d %H:%M:%S%.6f+00:00").to_string());
    written.unwrap_or_default()
}

fn of_resource(resource: &Resource) -> Value {
    Value::from_object(Labelled {
        labels: Arc::new(resource.labels().clone()),
        within: String::new(),
        is_resource: true,
    })
}

pub(super) fn labelled(labels: &JsonMap) -> Value {
    Value::from_object(Labelled {
        labels: Arc::new(labels.clone()),
        within: String::new(),
        is_resource: false,
    })
}

/// Labels by their whole names, and part by part: `labels.prefect.resource.id`.
#[derive(Debug)]
struct Labelled {
    labels: Arc<JsonMap>,
    /// The part of the names that was said already, with its dot.
    within: String,
    /// Whether it is a resource, whose labels have short names.
    is_resource: bool,
}

impl Labelled {
    fn text(&self, label: &str) -> Option<Value> {
        self.labels
            .get(label)
            .and_then(|text| text.as_str())
            .map(Value::from)
    }

    fn of_resource(&self, name: &str) -> Option<Value> {
        match name {
            "id" => self.text("prefect.resource.id"),
            "name" => self.text("prefect.resource.name"),
            "role" => self.text("prefect.resource.role"),
            "labels" => Some(labelled(&self.labels)),
            _ => None,
        }
    }

    fn part(&self, name: &str) -> Option<Value> {
        let label = format!("{}{name}", self.within);
        let within = format!("{label}.");
        let has_more = self.labels.keys().any(|label| label.starts_with(&within));
        has_more.then(|| {
            Value::from_object(Labelled {
                labels: Arc::clone(&self.labels),
                within,
                is_resource: false,
            })
        })
    }
}

impl Object for Labelled {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        let own = self.is_resource.then(|| self.of_resource(name)).flatten();
        let part = || self.part(name);
        let label = || self.text(&format!("{}{name}", self.within));
        own.or_else(part).or_else(label)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let names = self
            .labels
            .keys()
            .filter_map(|label| label.strip_prefix(&self.within));
        Enumerator::Values(names.map(Value::from).collect())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.within.strip_suffix('.') {
            Some(label) => write!(f, "{}", self.text(label).unwrap_or_default()),
            None => {
                let all = serde_json::to_string(&*self.labels).map_err(|_| fmt::Error)?;
                f.write_str(&all)
            }
        }
    }
}

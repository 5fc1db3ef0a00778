//! Events: something happened to a resource.
//!
//! A resource is named by labels, of which `prefect.resource.id` is one. Events come from clients,
//! and some are the daemon's own. Those named `prefect.task-run.…` tell of task runs that their
//! clients orchestrate themselves: see [`told`].

pub mod artifact;
pub mod filter;
pub mod flow_run;
pub mod lifecycle;
pub mod told;

use super::JsonMap;
use super::error::{Error, Result};
use super::ids::{EventId, FlowRunId};
use super::time::Timestamp;

/// The most characters of an event's name, as in the reference.
pub const MOST_NAME: usize = 1024;
/// The most bytes of an event as it is sent, as in the reference.
pub const MOST_BYTES: usize = 1_500_000;
/// The most labels of a resource, as in the reference.
pub const MOST_LABELS: usize = 500;
/// The most related resources, as in the reference.
pub const MOST_RELATED: usize = 100;

/// The label that names a resource.
pub const ID: &str = "prefect.resource.id";
/// The label that says what a related resource is to the event.
pub const ROLE: &str = "prefect.resource.role";
/// The label of a resource's name for people.
pub const NAME: &str = "prefect.resource.name";

/// An event as somebody tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its id; what is told twice is known by it.
    pub id: EventId,
    /// When it happened, as its sender says.
    pub occurred: Timestamp,
    /// What happened, such as `prefect.flow-run.Completed`.
    pub name: String,
    /// To what.
    pub resource: Resource,
    /// What else was involved.
    pub related: Vec<Resource>,
    /// Whatever there is to say of it.
    pub payload: JsonMap,
    /// The event before it, where their order matters.
    pub follows: Option<EventId>,
}

/// What happened to something that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// It was made.
    Created,
    /// It was changed.
    Updated,
    /// It was removed.
    Deleted,
}

impl Happened {
    /// The word for it in the names of events.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }
}

/// An event that was stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Its place in the order of arrival. Grows, and is never given to another.
    pub place: i64,
    /// When it arrived.
    pub received: Timestamp,
    /// The event.
    pub event: Event,
}

/// By what events are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Countable {
    /// By their names.
    Name,
    /// By the resources that they are about.
    Resource,
}

/// How many events there are of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// What names it.
    pub value: String,
    /// What people call it.
    pub label: String,
    /// How many.
    pub count: u64,
    /// When the first of them happened.
    pub first: Timestamp,
    /// When the last of them happened.
    pub last: Timestamp,
}

/// A resource by its labels, in the order in which they were told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource(JsonMap);

impl Resource {
    /// Of labels that are all texts.
    pub fn of<K: Into<String>, V: Into<String>>(labels: impl IntoIterator<Item = (K, V)>) -> Self {
        let labels = labels.into_iter();
        Self(
            labels
                .map(|(label, value)| (label.into(), value.into().into()))
                .collect(),
        )
    }

    /// One that is related, in that role.
    pub fn in_role(role: &str, id: impl Into<String>) -> Self {
        Self::of([(ID, id.into()), (ROLE, role.to_owned())])
    }

    /// The same with another label.
    #[must_use]
    pub fn with(mut self, label: &str, value: impl Into<String>) -> Self {
        self.0.insert(label.to_owned(), value.into().into());
        self
    }

    /// The value of a label.
    pub fn label(&self, label: &str) -> Option<&str> {
        self.0.get(label)?.as_str()
    }

    /// What names it; empty for none that was checked.
    pub fn id(&self) -> &str {
        self.label(ID).unwrap_or_default()
    }

    /// What it is to the event; empty for the resource that the event is about.
    pub fn role(&self) -> &str {
        self.label(ROLE).unwrap_or_default()
    }

    /// All labels.
    pub fn labels(&self) -> &JsonMap {
        &self.0
    }

    /// All labels, to be changed into other texts.
    pub fn labels_mut(&mut self) -> &mut JsonMap {
        &mut self.0
    }

    /// The id of the object that it is, where it is one of that kind: `prefect.<kind>.<id>`.
    pub fn object<I: std::str::FromStr>(&self, kind: &str) -> Option<I> {
        let rest = self.id().strip_prefix("prefect.")?.strip_prefix(kind)?;
        rest.strip_prefix('.')?.parse().ok()
    }

    /// Refuses one that has too many labels, or lacks one that it needs, or whose labels are not
    /// all texts.
    fn check(&self, needs: &[&str]) -> Result<()> {
        if self.0.len() > MOST_LABELS {
            return Err(Error::invalid(format!(
                "The maximum number of labels per resource is {MOST_LABELS}"
            )));
        }
        if let Some((label, _)) = self.0.iter().find(|(_, value)| !value.is_string()) {
            let label = label.get(..label.floor_char_boundary(100)).unwrap_or(label);
            return Err(Error::invalid(format!(
                "The label {label:?} must be a string"
            )));
        }
        for label in needs {
            if self.label(label).is_none_or(str::is_empty) {
                let words = format!("Resources must include the {label} label, non-empty");
                return Err(Error::invalid(words));
            }
        }
        Ok(())
    }
}

impl From<JsonMap> for Resource {
    fn from(labels: JsonMap) -> Self {
        Self(labels)
    }
}

impl Event {
    /// Refuses an event that goes beyond the reference's bounds, or whose resources are none.
    ///
    /// # Errors
    /// [`Kind::Invalid`](super::error::Kind::Invalid), with what is wrong.
    pub fn check(&self) -> Result<()> {
        if self.name.chars().count() > MOST_NAME {
            let words = format!("Event name must be at most {MOST_NAME} characters");
            return Err(Error::invalid(words));
        }
        if self.related.len() > MOST_RELATED {
            return Err(Error::invalid(format!(
                "The maximum number of related resources is {MOST_RELATED}"
            )));
        }
        self.resource.check(&[ID])?;
        self.related
            .iter()
            .try_for_each(|one| one.check(&[ID, ROLE]))
    }

    /// The flow run that it is about, or that was involved.
    pub fn flow_run(&self) -> Option<FlowRunId> {
        let of = |resource: &Resource| resource.object("flow-run");
        of(&self.resource).or_else(|| of(self.in_role("flow-run")?))
    }

    /// The first related resource in a role.
    pub fn in_role(&self, role: &str) -> Option<&Resource> {
        self.related.iter().find(|one| one.role() == role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        Event {
            id: EventId::new(),
            occurred: Timestamp::from_micros(7),
            name: "n".to_owned(),
            resource: Resource::of([(ID, "r")]),
            related: vec![Resource::in_role("flow", "f")],
            payload: JsonMap::new(),
            follows: None,
        }
    }

    #[test]
    fn bounds_are_those_of_the_reference() {
        assert!(event().check().is_ok());
        let many = |count| {
            let labels = (0..count - 1).map(|n| (format!("l{n}"), "v".to_owned()));
            Resource::of(labels.chain([(ID.to_owned(), "r".to_owned())]))
        };
        let role = |id: usize| Resource::in_role("x", id.to_string());
        let cases: [(Event, Event, &str); 3] = [
            (
                Event {
                    name: "ü".repeat(MOST_NAME),
                    ..event()
                },
                Event {
                    name: "ü".repeat(MOST_NAME + 1),
                    ..event()
                },
                "at most 1024 characters",
            ),
            (
                Event {
                    resource: many(MOST_LABELS),
                    ..event()
                },
                Event {
                    resource: many(MOST_LABELS + 1),
                    ..event()
                },
                "labels per resource is 500",
            ),
            (
                Event {
                    related: (0..MOST_RELATED).map(role).collect(),
                    ..event()
                },
                Event {
                    related: (0..=MOST_RELATED).map(role).collect(),
                    ..event()
                },
                "related resources is 100",
            ),
        ];
        for (fits, too_much, words) in cases {
            assert!(fits.check().is_ok(), "{words}");
            let refusal = too_much.check().unwrap_err();
            assert!(refusal.message().contains(words), "{refusal}");
        }
    }

    #[test]
    fn resources_have_ids_and_related_ones_roles() {
        for resource in [Resource::default(), Resource::of([(ID, "")])] {
            assert!(
                Event {
                    resource,
                    ..event()
                }
                .check()
                .is_err()
            );
        }
        for related in [Resource::of([(ID, "r")]), Resource::in_role("", "r")] {
            let related = vec![related];
            assert!(Event { related, ..event() }.check().is_err());
        }
        let number = JsonMap::from_iter([(ID.to_owned(), 3.into())]);
        let resource = Resource::from(number);
        assert!(
            Event {
                resource,
                ..event()
            }
            .check()
            .is_err()
        );
    }

    #[test]
    fn objects_are_known_by_their_kind() {
        let id = FlowRunId::new();
        let run = Resource::of([(ID, format!("prefect.flow-run.{id}"))]);
        assert_eq!(run.object("flow-run"), Some(id));
        assert_eq!(run.object::<FlowRunId>("flow"), None);
        let other = Resource::of([(ID, "prefect.flow-run.x")]);
        assert_eq!(other.object::<FlowRunId>("flow-run"), None);
    }
}

//! Which events a trigger looks at.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::trigger::EventTrigger;
use crate::domain::event::filter::{MOST_WILD, matches};
use crate::domain::event::{Event, Resource};

/// Labels, each with patterns of which its value fits one. Without any, everything is wanted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Wanted(BTreeMap<String, OneOrMany<String>>);

/// One, or a list of them, as a client says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// One.
    One(T),
    /// A list.
    Many(Vec<T>),
}

impl<T: Default> Default for OneOrMany<T> {
    fn default() -> Self {
        Self::One(T::default())
    }
}

impl<T> OneOrMany<T> {
    /// All of them.
    pub fn all(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(all) => all,
        }
    }
}

impl Wanted {
    /// Whether one of some resources is like that.
    fn is_one_of<'a>(&self, mut resources: impl Iterator<Item = &'a Resource>) -> bool {
        self.0.is_empty() || resources.any(|resource| self.is(resource))
    }

    fn is(&self, resource: &Resource) -> bool {
        self.0.iter().all(|(label, patterns)| {
            let value = resource.label(label);
            patterns.all().iter().any(|pattern| matches(pattern, value))
        })
    }

    /// Whether every resource of a kind, such as `prefect.flow-run`, is wanted.
    pub(super) fn is_every(&self, kind: &str) -> bool {
        let every = format!("{kind}.*");
        let by_id = |patterns: &OneOrMany<String>| patterns.all().contains(&every);
        match self.0.len() {
            0 => true,
            1 => self.0.get(crate::domain::event::ID).is_some_and(by_id),
            _ => false,
        }
    }

    /// How many values it names.
    pub(super) fn values(&self) -> usize {
        let lists = self.0.values();
        lists.map(|patterns| 1 + patterns.all().len()).sum()
    }

    /// Whether none of its patterns takes long to match.
    pub(super) fn is_cheap(&self) -> bool {
        self.0
            .values()
            .flat_map(OneOrMany::all)
            .all(|one| is_cheap(one))
    }
}

/// Whether a pattern does not take long to match.
pub(super) fn is_cheap(pattern: &str) -> bool {
    pattern.matches('*').count() <= MOST_WILD
}

impl EventTrigger {
    /// Whether it looks at an event at all.
    pub fn covers(&self, event: &Event) -> bool {
        let name = Some(event.name.as_str());
        let mut names = self.expect.iter().chain(&self.after);
        let by_name = self.expect.is_empty() || names.any(|pattern| matches(pattern, name));
        by_name && self.r#match.is_one_of(std::iter::once(&event.resource)) && {
            self.match_related.all()
        }
        .iter()
        .all(|wanted| wanted.is_one_of(event.related.iter()))
    }

    /// The names of the events that it looks at, as patterns.
    pub fn names(&self) -> Vec<&str> {
        match self.expect.is_empty() {
            true => vec!["*"],
            false => self
                .expect
                .iter()
                .chain(&self.after)
                .map(String::as_str)
                .collect(),
        }
    }

    /// Whether it waits from an event of that name on.
    pub fn starts_after(&self, name: &str) -> bool {
        self.after
            .iter()
            .any(|pattern| matches(pattern, Some(name)))
    }

    /// Whether it waits for an event of that name.
    pub fn expects(&self, name: &str) -> bool {
        self.expect.is_empty()
            || self
                .expect
                .iter()
                .any(|pattern| matches(pattern, Some(name)))
    }

    /// The labels that it goes by, in their order.
    pub fn labels(&self) -> Vec<&str> {
        let mut labels: Vec<_> = self.for_each.iter().map(String::as_str).collect();
        labels.sort_unstable();
        labels
    }

    /// An event's values of these labels; one that it lacks is empty.
    pub fn key(&self, event: &Event) -> Vec<String> {
        let values = self.labels().into_iter().map(|label| value(event, label));
        values
            .map(|value| value.unwrap_or_default().to_owned())
            .collect()
    }
}

/// An event's value of a label: of its resource, or as `related:<role>:<label>` of the first
/// related resource in that role.
fn value<'a>(event: &'a Event, label: &str) -> Option<&'a str> {
    let related = label.rsplit_once(':').and_then(|(way, name)| {
        let role = way.strip_prefix("related:")?;
        Some((event.in_role(role)?, name))
    });
    match related {
        Some((resource, name)) => resource.label(name),
        None => event.resource.label(label),
    }
}

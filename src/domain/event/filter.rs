//! What can be asked of events. The same question is answered by the store, about those that are
//! kept, and here, about one that has only just come.

use std::ops::ControlFlow;

use super::{Event, Resource};
use crate::domain::error::{Error, Result};
use crate::domain::filter::TextQuery;
use crate::domain::ids::EventId;
use crate::domain::time::Timestamp;

/// The most values that one question names, all its lists together.
pub(crate) const MOST_VALUES: usize = 250;

/// A question. A list without values asks nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// That happened then or later.
    pub since: Timestamp,
    /// That happened then or earlier.
    pub until: Timestamp,
    /// By their names.
    pub name: Names,
    /// By the resource that they are about.
    pub resource: OfResource,
    /// Whether only one event of each resource is asked for, the first in the order.
    pub distinct: bool,
    /// By related resources; each of these must find one.
    pub related: Vec<OfRelated>,
    /// By any of their resources; each of these must find one.
    pub any_resource: Vec<OfResource>,
    /// By their ids.
    pub ids: Vec<EventId>,
    /// By what is said in them.
    pub text: TextQuery,
    /// From the latest back to the earliest.
    pub newest_first: bool,
}

/// By name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// One that begins with one of these.
    pub prefixes: Vec<String>,
    /// None that begins with one of these.
    pub not_prefixes: Vec<String>,
    /// One of these.
    pub names: Vec<String>,
    /// None of these.
    pub not_names: Vec<String>,
}

/// By a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfResource {
    /// One of these.
    pub ids: Vec<String>,
    /// One whose id begins with one of these.
    pub id_prefixes: Vec<String>,
    /// One with all these labels.
    pub labels: Vec<Label>,
}

/// By a related resource, all of it by the same one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfRelated {
    /// One of these.
    pub ids: Vec<String>,
    /// One in one of these roles.
    pub roles: Vec<String>,
    /// One of these, each in its role.
    pub in_roles: Vec<(String, String)>,
    /// One with all these labels.
    pub labels: Vec<Label>,
}

/// A label whose value fits one of some patterns; without any, nothing fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The label.
    pub name: String,
    /// The patterns.
    pub patterns: Vec<Pattern>,
}

/// A pattern of a whole text: `*` stands for any characters, `?` for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The pattern.
    pub text: String,
    /// Whether what fits is what is not wanted.
    pub is_negated: bool,
}

impl Pattern {
    /// As it is written: with a `!` before it, it is negated.
    pub fn of(written: &str) -> Self {
        let negated = written.strip_prefix('!');
        Self {
            text: negated.unwrap_or(written).to_owned(),
            is_negated: negated.is_some(),
        }
    }

    fn fits(&self, value: &str) -> bool {
        fits(self.text.as_bytes(), value.as_bytes()) != self.is_negated
    }
}

/// Whether a value fits a pattern as it is written, a `!` before it included; what is not there
/// fits none.
pub fn matches(written: &str, value: Option<&str>) -> bool {
    let Some(value) = value else {
        return false;
    };
    match written.strip_prefix('!') {
        Some(unwanted) => !fits(unwanted.as_bytes(), value.as_bytes()),
        None => fits(written.as_bytes(), value.as_bytes()),
    }
}

/// The most characters that stand for any others in a pattern.
pub const MOST_WILD: usize = 8;

/// Whether a pattern fits a text. Takes at most as many steps as both lengths multiplied.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut of) = (0, 0);
    // Where the last star is, and up to where it is taken to reach.
    let mut star = None;
    while let Some(byte) = text.get(at) {
        let step = match pattern.get(of) {
            Some(b'*') => {
                star = Some((of, at));
                of += 1;
                continue;
            }
            Some(b'?') => ControlFlow::Continue(width(*byte)),
            Some(same) if same == byte => ControlFlow::Continue(1),
            _ => ControlFlow::Break(()),
        };
        match (step, star) {
            (ControlFlow::Continue(bytes), _) => (at, of) = (at + bytes, of + 1),
            (ControlFlow::Break(()), Some((place, reach))) => {
                let next = reach + text.get(reach).map_or(1, |byte| width(*byte));
                star = Some((place, next));
                (at, of) = (next, place + 1);
            }
            (ControlFlow::Break(()), None) => return false,
        }
    }
    let rest = pattern.get(of..).unwrap_or_default();
    rest.iter().all(|byte| *byte == b'*')
}

/// How many bytes a character takes that begins with this one.
const fn width(first: u8) -> usize {
    match first {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    }
}

impl Filter {
    /// All that happened in a span of time, the latest first.
    pub fn within(since: Timestamp, until: Timestamp) -> Self {
        Self {
            since,
            until,
            name: Names::default(),
            resource: OfResource::default(),
            distinct: false,
            related: Vec::new(),
            any_resource: Vec::new(),
            ids: Vec::new(),
            text: TextQuery::default(),
            newest_first: true,
        }
    }

    /// Refuses a question that takes too long to answer of every event.
    ///
    /// # Errors
    /// [`Kind::Invalid`](crate::domain::error::Kind::Invalid), with what there is too much of.
    pub fn check(&self) -> Result<()> {
        let names = &self.name;
        let of_names = [
            &names.prefixes,
            &names.not_prefixes,
            &names.names,
            &names.not_names,
        ];
        let of_names: usize = of_names.iter().map(|list| list.len()).sum();
        let resources = std::iter::once(&self.resource).chain(&self.any_resource);
        let of_resources: usize = resources.map(OfResource::values).sum();
        let of_related: usize = self.related.iter().map(OfRelated::values).sum();
        if of_names + of_resources + of_related + self.ids.len() > MOST_VALUES {
            let words = format!("A filter must have at most {MOST_VALUES} values.");
            return Err(Error::invalid(words));
        }
        let wild = |pattern: &Pattern| pattern.text.matches('*').count() > MOST_WILD;
        if self.labels().flat_map(|label| &label.patterns).any(wild) {
            let words = format!("A label's pattern must have at most {MOST_WILD} `*`.");
            return Err(Error::invalid(words));
        }
        Ok(())
    }

    fn labels(&self) -> impl Iterator<Item = &Label> {
        let resources = std::iter::once(&self.resource).chain(&self.any_resource);
        let of_related = self.related.iter().flat_map(|one| &one.labels);
        resources.flat_map(|one| &one.labels).chain(of_related)
    }

    /// Whether it asks for an event.
    pub fn takes(&self, event: &Event) -> bool {
        let any = |one: &OfResource| {
            let mut all = std::iter::once(&event.resource).chain(&event.related);
            one.asks_nothing() || all.any(|resource| one.takes(resource))
        };
        let related = |one: &OfRelated| {
            one.asks_nothing() || event.related.iter().any(|resource| one.takes(resource))
        };
        (self.since..=self.until).contains(&event.occurred)
            && self.name.takes(&event.name)
            && (self.ids.is_empty() || self.ids.contains(&event.id))
            && (self.resource.asks_nothing() || self.resource.takes(&event.resource))
            && self.related.iter().all(related)
            && self.any_resource.iter().all(any)
            && (self.text.is_empty() || self.text.finds(&[&searched(event)]))
    }
}

/// All that is said in an event, in lower case, as the store has it beside each other.
fn searched(event: &Event) -> String {
    let related: Vec<_> = event.related.iter().map(Resource::labels).collect();
    let parts = [
        Ok(event.name.clone()),
        serde_json::to_string(event.resource.labels()),
        serde_json::to_string(&related),
        serde_json::to_string(&event.payload),
    ];
    let parts: Vec<_> = parts.into_iter().map(Result::unwrap_or_default).collect();
    parts.join(" ").to_ascii_lowercase()
}

impl Names {
    fn takes(&self, name: &str) -> bool {
        let begins = |list: &[String]| list.iter().any(|prefix| name.starts_with(prefix.as_str()));
        let is_in = |list: &[String]| list.iter().any(|one| one == name);
        (self.prefixes.is_empty() || begins(&self.prefixes))
            && !begins(&self.not_prefixes)
            && (self.names.is_empty() || is_in(&self.names))
            && !is_in(&self.not_names)
    }
}

impl OfResource {
    /// Whether it asks nothing.
    pub fn asks_nothing(&self) -> bool {
        *self == Self::default()
    }

    fn values(&self) -> usize {
        self.ids.len() + self.id_prefixes.len() + values(&self.labels)
    }

    fn takes(&self, resource: &Resource) -> bool {
        let id = resource.id();
        (self.ids.is_empty() || self.ids.iter().any(|one| one == id))
            && (self.id_prefixes.is_empty()
                || self
                    .id_prefixes
                    .iter()
                    .any(|prefix| id.starts_with(prefix.as_str())))
            && have(resource, &self.labels)
    }
}

impl OfRelated {
    /// Whether it asks nothing.
    pub fn asks_nothing(&self) -> bool {
        *self == Self::default()
    }

    fn values(&self) -> usize {
        self.ids.len() + self.roles.len() + self.in_roles.len() + values(&self.labels)
    }

    fn takes(&self, resource: &Resource) -> bool {
        let (id, role) = (resource.id(), resource.role());
        let is_it = |(of, as_role): &(String, String)| of == id && as_role == role;
        (self.ids.is_empty() || self.ids.iter().any(|one| one == id))
            && (self.roles.is_empty() || self.roles.iter().any(|one| one == role))
            && (self.in_roles.is_empty() || self.in_roles.iter().any(is_it))
            && have(resource, &self.labels)
    }
}

fn values(labels: &[Label]) -> usize {
    labels.iter().map(|label| 1 + label.patterns.len()).sum()
}

/// Whether a resource has all those labels.
fn have(resource: &Resource, labels: &[Label]) -> bool {
    labels.iter().all(|label| {
        let value = resource.label(&label.name);
        value.is_some_and(|value| label.patterns.iter().any(|one| one.fits(value)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_texts() {
        for (pattern, text, does) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("a*", "abc", true),
            ("a*c", "abcbc", true),
            ("a*c", "abcb", false),
            ("*b*", "abc", true),
            ("a?c", "aüc", true),
            ("a?c", "ac", false),
            ("?", "日", true),
            ("[ab]", "a", false),
            ("[ab]", "[ab]", true),
            ("A", "a", false),
            ("!a*", "abc", false),
            ("!a*", "b", true),
            ("**a**", "xax", true),
        ] {
            assert_eq!(Pattern::of(pattern).fits(text), does, "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_takes_no_more_steps_than_both_lengths_allow() {
        let pattern = format!("{}b", "a*".repeat(500));
        let begun = std::time::Instant::now();
        assert!(!Pattern::of(&pattern).fits(&"a".repeat(20_000)));
        assert!(begun.elapsed().as_secs() < 60);
    }

    #[test]
    fn questions_are_bounded() {
        let all = || Filter::within(Timestamp::from_micros(0), Timestamp::from_micros(9));
        let names = |count: usize| Names {
            names: vec![String::new(); count],
            ..Names::default()
        };
        assert!(
            Filter {
                name: names(MOST_VALUES),
                ..all()
            }
            .check()
            .is_ok()
        );
        assert!(
            Filter {
                name: names(MOST_VALUES + 1),
                ..all()
            }
            .check()
            .is_err()
        );
        let label = |stars: usize| OfResource {
            labels: vec![Label {
                name: "l".to_owned(),
                patterns: vec![Pattern::of(&"*".repeat(stars))],
            }],
            ..OfResource::default()
        };
        assert!(
            Filter {
                resource: label(MOST_WILD),
                ..all()
            }
            .check()
            .is_ok()
        );
        assert!(
            Filter {
                any_resource: vec![label(MOST_WILD + 1)],
                ..all()
            }
            .check()
            .is_err()
        );
    }
}

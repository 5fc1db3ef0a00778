//! What an automation waits for.
//!
//! A trigger is a document: as a client writes it, so it is kept and answered, in full. Triggers
//! that are made of others fire when enough of these have.

use std::collections::BTreeSet;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use uuid::Uuid;

use super::matching::{OneOrMany, Wanted};
use super::tagged::{self, Tagged};
use crate::domain::time::Span;

/// The shortest window of a proactive trigger, and what it has where none is said.
const SHORTEST_PROACTIVE: Span = Span::from_micros(10_000_000);

/// A trigger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// Waits for events, or for their absence.
    Event(EventTrigger),
    /// Waits for some of its triggers to fire, in any order.
    Compound(Compound),
    /// Waits for all of its triggers to fire, in their order.
    Sequence(Sequence),
}

/// Waits for events, or for their absence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventTrigger {
    /// Its id.
    #[serde(default = "Uuid::new_v4")]
    pub id: Uuid,
    /// What the event's resource is like.
    #[serde(default)]
    pub r#match: Wanted,
    /// What one of its related resources is like; each of these must find one.
    #[serde(default)]
    pub match_related: OneOrMany<Wanted>,
    /// The events, one of which must have been seen before; none: it waits always.
    #[serde(default, deserialize_with = "each_once")]
    pub after: Vec<String>,
    /// The events that are waited for; none: any.
    #[serde(default, deserialize_with = "each_once")]
    pub expect: Vec<String>,
    /// The labels, for each of whose values it waits by itself.
    #[serde(default, deserialize_with = "each_once")]
    pub for_each: Vec<String>,
    /// Whether their coming or their absence counts.
    pub posture: Posture,
    /// So many of them.
    #[serde(default = "one")]
    pub threshold: i64,
    /// Within so long.
    #[serde(default, serialize_with = "secs", deserialize_with = "length")]
    pub within: Span,
}

/// What an event trigger looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Posture {
    /// That events come.
    Reactive,
    /// That they do not.
    Proactive,
}

impl Tagged for Trigger {
    const USUAL: &'static str = "event";
}

impl Posture {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reactive => "Reactive",
            Self::Proactive => "Proactive",
        }
    }
}

/// Waits for some of its triggers to fire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compound {
    /// Its id.
    #[serde(default = "Uuid::new_v4")]
    pub id: Uuid,
    /// The triggers.
    #[serde(
        serialize_with = "tagged::write_all",
        deserialize_with = "tagged::read_all"
    )]
    pub triggers: Vec<Trigger>,
    /// Within so long of each other, if within any time.
    #[serde(serialize_with = "some_secs", deserialize_with = "some_length")]
    pub within: Option<Span>,
    /// How many of them.
    pub require: Require,
}

/// Waits for all of its triggers to fire, in their order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sequence {
    /// Its id.
    #[serde(default = "Uuid::new_v4")]
    pub id: Uuid,
    /// The triggers.
    #[serde(
        serialize_with = "tagged::write_all",
        deserialize_with = "tagged::read_all"
    )]
    pub triggers: Vec<Trigger>,
    /// Within so long of each other, if within any time.
    #[serde(serialize_with = "some_secs", deserialize_with = "some_length")]
    pub within: Option<Span>,
}

/// How many triggers have to fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Require {
    /// One.
    Any,
    /// Each.
    All,
    /// So many.
    Some(u32),
}

/// A trigger that is made of others.
#[derive(Clone, Copy, Debug)]
pub struct Composite<'a> {
    /// Its id.
    pub id: Uuid,
    /// The others.
    pub triggers: &'a [Trigger],
    /// Within so long.
    pub within: Option<Span>,
    /// How many of them.
    pub require: Require,
    /// Whether their order counts.
    pub is_ordered: bool,
}

impl Composite<'_> {
    /// How many of its triggers have to fire.
    pub fn wanted(&self) -> usize {
        match self.require {
            Require::Any => 1,
            Require::All => self.triggers.len(),
            Require::Some(count) => count as usize,
        }
    }
}

impl Trigger {
    /// Its id.
    pub fn id(&self) -> Uuid {
        match self {
            Self::Event(event) => event.id,
            Self::Compound(compound) => compound.id,
            Self::Sequence(sequence) => sequence.id,
        }
    }

    /// The word for what it is.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Event(_) => "event",
            Self::Compound(_) => "compound",
            Self::Sequence(_) => "sequence",
        }
    }

    /// What it is made of, where it is made of others.
    pub fn composite(&self) -> Option<Composite<'_>> {
        match self {
            Self::Event(_) => None,
            Self::Compound(compound) => Some(Composite {
                id: compound.id,
                triggers: &compound.triggers,
                within: compound.within,
                require: compound.require,
                is_ordered: false,
            }),
            Self::Sequence(sequence) => Some(Composite {
                id: sequence.id,
                triggers: &sequence.triggers,
                within: sequence.within,
                require: Require::All,
                is_ordered: true,
            }),
        }
    }

    /// The triggers that it is made of.
    pub fn parts(&self) -> &[Trigger] {
        self.composite().map_or(&[], |composite| composite.triggers)
    }

    /// The way from it down to the one of that id, both included; `None` where that is not of it.
    pub fn way_to(&self, id: Uuid) -> Option<Vec<&Trigger>> {
        if self.id() == id {
            return Some(vec![self]);
        }
        let mut way = self.parts().iter().find_map(|part| part.way_to(id))?;
        way.insert(0, self);
        Some(way)
    }

    /// The event triggers in it.
    pub fn event_triggers(&self) -> Vec<&EventTrigger> {
        match self {
            Self::Event(event) => vec![event],
            Self::Compound(_) | Self::Sequence(_) => {
                let parts = self.parts().iter();
                parts.flat_map(Trigger::event_triggers).collect()
            }
        }
    }

    /// Gives it and its parts other ids: those that a client names mean nothing.
    pub fn renew_ids(&mut self) {
        let (id, parts): (_, &mut [Trigger]) = match self {
            Self::Event(event) => (&mut event.id, &mut []),
            Self::Compound(compound) => (&mut compound.id, &mut compound.triggers),
            Self::Sequence(sequence) => (&mut sequence.id, &mut sequence.triggers),
        };
        *id = Uuid::new_v4();
        parts.iter_mut().for_each(Trigger::renew_ids);
    }
}

impl EventTrigger {
    /// With what is meant where a client says less; as the reference does, a proactive one that
    /// has no window gets one of ten seconds.
    pub(super) fn completed(&mut self) {
        if self.posture == Posture::Proactive && self.within == Span::ZERO {
            self.within = SHORTEST_PROACTIVE;
        }
    }

    /// Whether its window is one.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn check_window(&self) -> Result<(), String> {
        if self.within < Span::ZERO {
            return Err("within must be 0 or more".to_owned());
        }
        if self.posture == Posture::Proactive && self.within < SHORTEST_PROACTIVE {
            return Err("within must be 10 seconds or more for a proactive trigger".to_owned());
        }
        match self.threshold < 0 {
            true => Err("threshold must be 0 or more".to_owned()),
            false => Ok(()),
        }
    }
}

impl Serialize for Require {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Any => to.serialize_str("any"),
            Self::All => to.serialize_str("all"),
            Self::Some(count) => to.serialize_u32(*count),
        }
    }
}

impl<'de> Deserialize<'de> for Require {
    fn deserialize<D: Deserializer<'de>>(given: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(given)?;
        let count = value.as_u64().and_then(|count| u32::try_from(count).ok());
        match (value.as_str(), count) {
            (Some("any"), _) => Ok(Self::Any),
            (Some("all"), _) => Ok(Self::All),
            (_, Some(count)) => Ok(Self::Some(count)),
            _ => Err(D::Error::custom("require is a number, `any` or `all`")),
        }
    }
}

const fn one() -> i64 {
    1
}

fn secs<S: Serializer>(span: &Span, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(span.as_secs_f64())
}

fn some_secs<S: Serializer>(span: &Option<Span>, to: S) -> Result<S::Ok, S::Error> {
    span.map(Span::as_secs_f64).serialize(to)
}

/// A length of time: a number of seconds, or a text.
pub(super) fn length<'de, D: Deserializer<'de>>(given: D) -> Result<Span, D::Error> {
    let span = match Value::deserialize(given)? {
        Value::Number(number) => number.as_f64().and_then(Span::of_secs),
        Value::String(text) => Span::written(&text),
        _ => None,
    };
    span.ok_or_else(|| D::Error::custom("a length of time is a number of seconds, or as PT30S"))
}

fn some_length<'de, D: Deserializer<'de>>(given: D) -> Result<Option<Span>, D::Error> {
    match Value::deserialize(given)? {
        Value::Null => Ok(None),
        value => length(value).map(Some).map_err(D::Error::custom),
    }
}

/// Values without those that come again.
fn each_once<'de, D: Deserializer<'de>>(given: D) -> Result<Vec<String>, D::Error> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::<String>::deserialize(given)?;
    all.retain(|one| seen.insert(one.clone()));
    Ok(all)
}

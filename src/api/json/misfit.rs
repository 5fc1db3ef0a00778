//! A value that is not what it should be.

use std::fmt;

use serde_json::Value;

/// How much is repeated of what was sent.
const LONGEST: usize = 500;

/// Where something is in a body: names and indexes.
pub type Location = Vec<Value>;

/// Why a value does not fit, and where it is.
#[derive(Debug)]
pub struct Misfit(Box<Inner>);

#[derive(Debug)]
struct Inner {
    reason: Reason,
    /// The way to the value, from it outwards.
    steps: Location,
}

#[derive(Debug)]
enum Reason {
    Missing,
    Unfit(String),
}

impl Misfit {
    fn new(reason: Reason, steps: Location) -> Self {
        Self(Box::new(Inner { reason, steps }))
    }

    /// The same, of a value that is found by one more step.
    pub(super) fn within(mut self, step: Value) -> Self {
        self.0.steps.push(step);
        self
    }

    /// Where, from the body on.
    pub fn location(&self) -> Location {
        self.0.steps.iter().rev().cloned().collect()
    }

    /// Whether nothing is there.
    pub fn is_missing(&self) -> bool {
        matches!(self.0.reason, Reason::Missing)
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.reason {
            Reason::Missing => f.write_str("Field required"),
            Reason::Unfit(why) => f.write_str(&shortened(why)),
        }
    }
}

impl std::error::Error for Misfit {}

impl serde::de::Error for Misfit {
    fn custom<T: fmt::Display>(why: T) -> Self {
        Self::new(Reason::Unfit(why.to_string()), Vec::new())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Reason::Missing, vec![field.into()])
    }
}

/// A text that may be long, as it is repeated.
pub fn shortened(text: &str) -> String {
    let end = text.floor_char_boundary(LONGEST);
    match text.get(..end) {
        Some(start) if end < text.len() => format!("{start}…"),
        _ => text.to_owned(),
    }
}

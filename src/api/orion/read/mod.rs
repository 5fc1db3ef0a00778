//! Reads request bodies as the 2.0a7 server's models do.
//!
//! That server answers a bad body with every fault in it, each with its place, a sentence
//! and a type. Serde stops at the first fault and words it differently, so bodies are read
//! here by hand: a [`ReadContext`] knows the place and collects the faults, [`Fields`] walks an
//! object in the model's order, and a reader turns one value into one domain value.

mod fields;
mod scalars;
mod times;

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};

use super::super::json::{Excess, PathStep};
pub(super) use super::super::json::{JsonValue, Malformed, Members, excesses, parse};
pub(super) use fields::{Fields, Presence};
pub(super) use scalars::{
    boolean, choice, id, integer, list, map, map_of, number, string, string_or_random, within,
};
pub(super) use times::{duration, seconds, timestamp};

/// The most faults that are collected; beyond them nothing more is read.
const MOST_ISSUES: usize = 100;
/// How many bytes of a key are told.
const LONGEST_KEY: usize = 200;

/// A fault in a request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Issue {
    /// Where: `body`, then keys and indexes.
    pub loc: Vec<Step>,
    /// What is wrong, in the 2.0a7 server's words.
    pub msg: String,
    /// Its kind, such as `value_error.missing`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What the sentence was made from, where that server tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ctx: Option<Value>,
}

/// One step of a place.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Step {
    /// A key of an object, or the part of the request.
    Key(Cow<'static, str>),
    /// An index of a list.
    Index(usize),
}

impl Step {
    /// The step as it is told: a key is whatever a client sent.
    fn shortened(&self) -> Self {
        match self {
            Step::Key(Cow::Owned(key)) if key.len() > LONGEST_KEY => {
                let end = key.floor_char_boundary(LONGEST_KEY);
                let start = key.get(..end).unwrap_or_default();
                Step::Key(format!("{start}…").into())
            }
            step => step.clone(),
        }
    }
}

/// Where the reading is, and what was found wrong so far.
#[derive(Debug, Default)]
pub struct ReadContext {
    place: Vec<Step>,
    issues: Vec<Issue>,
}

impl ReadContext {
    /// Reads something within a part of the current place.
    pub fn within<T>(&mut self, step: Step, read: impl FnOnce(&mut Self) -> T) -> T {
        self.place.push(step);
        let value = read(self);
        self.place.pop();
        value
    }

    /// Notes a fault at the current place. Always `None`, so that a reader can end with it.
    pub fn fault<T>(&mut self, msg: impl Into<String>, kind: &'static str) -> Option<T> {
        self.fault_with(msg, kind, None)
    }

    /// The same with what the sentence was made from.
    pub fn fault_with<T>(
        &mut self,
        msg: impl Into<String>,
        kind: &'static str,
        ctx: Option<Value>,
    ) -> Option<T> {
        if !self.is_full() {
            self.issues.push(Issue {
                loc: self.place.iter().map(Step::shortened).collect(),
                msg: msg.into(),
                kind,
                ctx,
            });
        }
        None
    }

    /// Notes that there is too much of something, in the words of that server's models.
    pub fn excess(&mut self, excess: &Excess<'_>) {
        let limit = excess.limit;
        let (msg, kind) = match excess.is_list {
            true => (
                format!("ensure this value has at most {limit} items"),
                "value_error.list.max_items",
            ),
            false => (
                format!("ensure this value has at most {limit} characters"),
                "value_error.any_str.max_length",
            ),
        };
        let depth = self.place.len();
        self.place
            .extend(excess.place.iter().map(|step| match step {
                PathStep::Key(key) => Step::Key((*key).to_owned().into()),
                PathStep::Index(index) => Step::Index(*index),
            }));
        self.fault_with::<()>(msg, kind, Some(json!({ "limit_value": limit })));
        self.place.truncate(depth);
    }

    /// Notes that something required is not there.
    pub fn missing<T>(&mut self) -> Option<T> {
        self.fault("field required", "value_error.missing")
    }

    /// A context at the same place whose faults are its own.
    pub fn trial(&self) -> Self {
        Self {
            place: self.place.clone(),
            issues: Vec::new(),
        }
    }

    /// Takes over what a trial found.
    pub fn adopt(&mut self, issues: Vec<Issue>) {
        let free = MOST_ISSUES.saturating_sub(self.issues.len());
        self.issues.extend(issues.into_iter().take(free));
    }

    /// True once so many faults were found that no more are told.
    pub fn is_full(&self) -> bool {
        self.issues.len() >= MOST_ISSUES
    }

    /// All faults found.
    pub fn into_issues(self) -> Vec<Issue> {
        self.issues
    }

    /// True while nothing was found wrong.
    pub fn is_clean(&self) -> bool {
        self.issues.is_empty()
    }
}

//! A flow: a name under which deployments and runs gather.

use super::JsonMap;
use super::ids::FlowId;
use super::time::Timestamp;

/// A flow as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// Its id.
    pub id: FlowId,
    /// When it was first registered.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// Unique among flows.
    pub name: String,
    /// Tags, in the order given.
    pub tags: Vec<String>,
    /// Labels, which its deployments and its runs take over.
    pub labels: JsonMap,
}

/// What a client says of a flow that it registers.
#[derive(Clone, Debug, PartialEq)]
pub struct NewFlow {
    /// Unique among flows; registering a known name answers the known flow.
    pub name: String,
    /// Tags; kept only when the flow is new.
    pub tags: Vec<String>,
    /// Labels; kept only when the flow is new.
    pub labels: JsonMap,
}

impl NewFlow {
    /// One of which nothing is said but its name.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            tags: Vec::new(),
            labels: JsonMap::new(),
        }
    }
}

/// Whether a creation made something or found it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created<T> {
    /// It is new.
    New(T),
    /// It was already so; this is what was there.
    Known(T),
}

impl<T> Created<T> {
    /// What was made or found.
    pub fn into_inner(self) -> T {
        match self {
            Created::New(value) | Created::Known(value) => value,
        }
    }

    /// True when it was made just now.
    pub fn is_new(&self) -> bool {
        matches!(self, Created::New(_))
    }

    /// What was made or found.
    pub fn get(&self) -> &T {
        match self {
            Created::New(value) | Created::Known(value) => value,
        }
    }
}

//! Flows.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::{Reader, Redact};
use crate::api::v3::wire::{Instant, Labels, plain_name};
use crate::domain::JsonMap;
use crate::domain::flow::{self, NewFlow};

/// A flow.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Flow {
    /// Its id.
    pub id: Uuid,
    /// When it was first registered.
    pub created: Instant,
    /// When it last changed.
    pub updated: Instant,
    /// Its name.
    pub name: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its labels.
    #[schema(value_type = Object)]
    pub labels: JsonMap,
}

impl From<flow::Flow> for Flow {
    fn from(flow: flow::Flow) -> Self {
        let flow::Flow {
            id,
            created,
            updated,
            name,
            tags,
            labels,
        } = flow;
        Self {
            id: id.uuid(),
            created: created.into(),
            updated: updated.into(),
            name,
            tags,
            labels,
        }
    }
}

impl Redact for Flow {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id: _,
            created: _,
            updated: _,
            name,
            tags,
            labels,
        } = self;
        let mask = reader.of_nobody();
        mask.over(name);
        mask.over(tags);
        mask.over(labels);
    }
}

/// A flow to be registered.
#[derive(Debug, Deserialize, ToSchema)]
pub struct FlowCreate {
    #[serde(deserialize_with = "plain_name")]
    name: String,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    labels: Option<Labels>,
}

impl From<FlowCreate> for NewFlow {
    fn from(create: FlowCreate) -> Self {
        let FlowCreate { name, tags, labels } = create;
        Self {
            name,
            tags,
            labels: labels.unwrap_or_default().into(),
        }
    }
}

/// Changes to a flow; absent fields stay.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct FlowUpdate {
    /// Replace those that it has.
    pub tags: Option<Vec<String>>,
}

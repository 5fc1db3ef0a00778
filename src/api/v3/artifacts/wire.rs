//! Artifacts.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::redaction::{Reader, Redact};
use crate::api::v3::extract::AimedBody;
use crate::api::v3::wire::{Instant, said};
use crate::domain::artifact::{
    self as noun, ArtifactUpdate, Collection, Content, Metadata, NewArtifact,
};
use crate::domain::error::Error;
use crate::domain::ids::{FlowRunId, TaskRunId};
use crate::domain::patch::Patch;

/// An artifact.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Artifact {
    id: Uuid,
    created: Instant,
    updated: Instant,
    key: Option<String>,
    #[serde(flatten)]
    content: Shown,
}

/// The latest artifact of a key.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LatestArtifact {
    id: Uuid,
    created: Instant,
    updated: Instant,
    key: String,
    latest_id: Uuid,
    #[serde(flatten)]
    content: Shown,
}

/// What there is to see of an artifact.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Shown {
    #[serde(rename = "type")]
    kind: Option<String>,
    description: Option<String>,
    data: Option<Value>,
    #[schema(value_type = Option<Object>)]
    metadata_: Option<Metadata>,
    flow_run_id: Option<Uuid>,
    task_run_id: Option<Uuid>,
}

impl From<Content> for Shown {
    fn from(content: Content) -> Self {
        let Content {
            kind,
            description,
            data,
            metadata,
            flow_run_id,
            task_run_id,
        } = content;
        Self {
            kind,
            description,
            data,
            metadata_: metadata,
            flow_run_id: flow_run_id.map(FlowRunId::uuid),
            task_run_id: task_run_id.map(TaskRunId::uuid),
        }
    }
}

impl From<noun::Artifact> for Artifact {
    fn from(artifact: noun::Artifact) -> Self {
        let noun::Artifact {
            id,
            created,
            updated,
            key,
            content,
        } = artifact;
        Self {
            id: id.uuid(),
            created: created.into(),
            updated: updated.into(),
            key,
            content: content.into(),
        }
    }
}

/// The latest of a key, as it is told by that alone: with the collection's id.
impl From<Collection> for Artifact {
    fn from(collection: Collection) -> Self {
        let LatestArtifact {
            id,
            created,
            updated,
            key,
            latest_id: _,
            content,
        } = collection.into();
        Self {
            id,
            created,
            updated,
            key: Some(key),
            content,
        }
    }
}

impl From<Collection> for LatestArtifact {
    fn from(collection: Collection) -> Self {
        let Collection {
            id,
            created,
            updated,
            key,
            latest_id,
            content,
        } = collection;
        Self {
            id: id.uuid(),
            created: created.into(),
            updated: updated.into(),
            key,
            latest_id: latest_id.uuid(),
            content: content.into(),
        }
    }
}

impl Redact for Shown {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        noted.extend(self.flow_run_id.map(FlowRunId::from_uuid));
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            kind,
            description,
            data,
            metadata_,
            flow_run_id,
            task_run_id: _,
        } = self;
        let mask = reader.within_flow_run(flow_run_id.map(FlowRunId::from_uuid));
        mask.over(kind);
        mask.over(description);
        mask.over(data);
        for (name, text) in metadata_.iter_mut().flatten() {
            let mut value = Value::from(std::mem::take(text));
            mask.over_member(name, &mut value);
            *text = value.as_str().unwrap_or_default().to_owned();
        }
    }
}

impl Redact for Artifact {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        self.content.runs(noted);
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id: _,
            created: _,
            updated: _,
            // Small letters, digits and dashes.
            key: _,
            content,
        } = self;
        content.redact(reader);
    }
}

impl Redact for LatestArtifact {
    fn runs(&self, noted: &mut HashSet<FlowRunId>) {
        self.content.runs(noted);
    }

    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            id: _,
            created: _,
            updated: _,
            key: _,
            latest_id: _,
            content,
        } = self;
        content.redact(reader);
    }
}

/// An artifact to be left.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct ArtifactCreate {
    /// What those that follow each other have in common: small letters, digits and dashes.
    key: Option<String>,
    /// What its data is, such as `markdown`.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// What it is for, in markdown.
    description: Option<String>,
    /// Whatever its type says.
    data: Option<Value>,
    /// Texts by name; of each 500 characters are kept.
    #[schema(value_type = Option<Object>)]
    metadata_: Option<Metadata>,
    /// The flow run that leaves it.
    flow_run_id: Option<Uuid>,
    /// The task run that leaves it.
    task_run_id: Option<Uuid>,
}

impl AimedBody for ArtifactCreate {
    type Meaning = NewArtifact;

    fn meaning(self) -> Result<NewArtifact, Error> {
        let Self {
            key,
            kind,
            description,
            data,
            metadata_,
            flow_run_id,
            task_run_id,
        } = self;
        Ok(NewArtifact {
            key,
            content: Content {
                kind,
                description,
                data,
                metadata: metadata_,
                flow_run_id: flow_run_id.map(FlowRunId::from_uuid),
                task_run_id: task_run_id.map(TaskRunId::from_uuid),
            },
        })
    }
}

/// Changes to an artifact; absent fields stay.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct ArtifactChanges {
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Value>)]
    data: Patch<Value>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    description: Patch<String>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Object>)]
    metadata_: Patch<Metadata>,
}

impl AimedBody for ArtifactChanges {
    type Meaning = ArtifactUpdate;

    fn meaning(self) -> Result<ArtifactUpdate, Error> {
        let Self {
            data,
            description,
            metadata_,
        } = self;
        Ok(ArtifactUpdate {
            data,
            description,
            metadata: metadata_,
        })
    }
}

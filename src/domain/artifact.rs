//! Artifacts: what runs leave for people to look at. Those of one key follow each other, and the
//! latest of them stands for all.

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::{Error, Result};
use super::ids::{ArtifactCollectionId, ArtifactId, FlowRunId, TaskRunId};
use super::patch::Patch;
use super::time::Timestamp;

/// The most bytes of a key and of a type.
const LONGEST_NAME: usize = 1000;
/// The most characters of a value in the metadata; the rest is cut off, as on the reference.
const LONGEST_METADATA: usize = 500;

/// What somebody says of an artifact beside its data: texts by name.
pub type Metadata = BTreeMap<String, String>;

/// What there is to see of an artifact, and what left it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content {
    /// What its data is, such as `markdown` or `table`; absent where nobody said.
    pub kind: Option<String>,
    /// What it is for, in markdown.
    pub description: Option<String>,
    /// Whatever its type says.
    pub data: Option<Value>,
    /// See [`Metadata`].
    pub metadata: Option<Metadata>,
    /// The flow run that left it.
    pub flow_run_id: Option<FlowRunId>,
    /// The task run that left it.
    pub task_run_id: Option<TaskRunId>,
}

/// An artifact as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Artifact {
    /// Its id.
    pub id: ArtifactId,
    /// When it was left.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// What those that follow each other have in common.
    pub key: Option<String>,
    /// What it is.
    pub content: Content,
}

/// The artifacts of one key, as the latest of them is.
#[derive(Clone, Debug, PartialEq)]
pub struct Collection {
    /// Its id.
    pub id: ArtifactCollectionId,
    /// When the first artifact of the key was left.
    pub created: Timestamp,
    /// When the latest artifact last changed.
    pub updated: Timestamp,
    /// The key.
    pub key: String,
    /// The latest artifact.
    pub latest_id: ArtifactId,
    /// What that is.
    pub content: Content,
}

/// An artifact to be left.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewArtifact {
    /// See [`Artifact::key`].
    pub key: Option<String>,
    /// See [`Artifact::content`].
    pub content: Content,
}

/// Changes to an artifact.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArtifactUpdate {
    /// See [`Content::data`].
    pub data: Patch<Value>,
    /// See [`Content::description`].
    pub description: Patch<String>,
    /// See [`Content::metadata`].
    pub metadata: Patch<Metadata>,
}

impl NewArtifact {
    /// The same with its metadata cut to length.
    ///
    /// # Errors
    /// [`Kind::Invalid`](super::error::Kind::Invalid) for a key of other characters than small
    /// letters, digits and dashes, as on the reference, and where that or the type is too long.
    pub fn checked(mut self) -> Result<Self> {
        let is_fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !self.key.as_deref().unwrap_or_default().chars().all(is_fit) {
            return Err(Error::invalid(
                "Artifact key must only contain lowercase letters, numbers, and dashes.",
            ));
        }
        let names = [self.key.as_ref(), self.content.kind.as_ref()];
        if names.iter().flatten().any(|it| it.len() > LONGEST_NAME) {
            return Err(Error::invalid(format!(
                "The key and the type of an artifact must have at most {LONGEST_NAME} bytes."
            )));
        }
        self.content.metadata = self.content.metadata.map(cut);
        Ok(self)
    }
}

impl ArtifactUpdate {
    /// The content after the change.
    pub fn over(self, before: Content) -> Content {
        let Self {
            data,
            description,
            metadata,
        } = self;
        Content {
            data: data.over(before.data),
            description: description.over(before.description),
            metadata: metadata.map(cut).over(before.metadata),
            ..before
        }
    }
}

fn cut(metadata: Metadata) -> Metadata {
    let cut = |text: String| match text.char_indices().nth(LONGEST_METADATA) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    };
    let all = metadata.into_iter();
    all.map(|(name, text)| (name, cut(text))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(key: &str, metadata: &str) -> NewArtifact {
        let metadata = Metadata::from([("m".to_owned(), metadata.to_owned())]);
        NewArtifact {
            key: Some(key.to_owned()),
            content: Content {
                metadata: Some(metadata),
                ..Content::default()
            },
        }
    }

    #[test]
    fn keys_are_plain_and_metadata_is_cut() {
        for (key, is_fit) in [
            ("a-1", true),
            ("", true),
            ("A", false),
            ("a_b", false),
            ("a b", false),
            ("é", false),
            (&"a".repeat(LONGEST_NAME), true),
            (&"a".repeat(LONGEST_NAME + 1), false),
        ] {
            assert_eq!(new(key, "").checked().is_ok(), is_fit, "{key}");
        }
        for (given, kept) in [
            ("é".repeat(500), "é".repeat(500)),
            ("é".repeat(501), format!("{}...", "é".repeat(500))),
        ] {
            let metadata = new("k", &given).checked().unwrap().content.metadata;
            assert_eq!(metadata.unwrap()["m"], kept);
        }
    }

    #[test]
    fn a_change_leaves_what_it_does_not_name() {
        let before = Content {
            kind: Some("markdown".to_owned()),
            description: Some("d".to_owned()),
            data: Some(Value::from("old")),
            ..Content::default()
        };
        let update = ArtifactUpdate {
            data: Patch::Set(Value::from("new")),
            description: Patch::Clear,
            metadata: Patch::Keep,
        };
        let after = update.over(before.clone());
        let wanted = Content {
            description: None,
            data: Some(Value::from("new")),
            ..before
        };
        assert_eq!(after, wanted);
    }
}

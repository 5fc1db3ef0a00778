//! What is known of a flow run beside its own fields: its policy, and who created it.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::JsonMap;
use crate::domain::actor::{Actor, ActorKind};
use crate::domain::error::Error;
use crate::domain::flow_run_policy::{self, RetryType};

/// The most labels of one thing.
const MOST_LABELS: usize = 1000;
/// The most bytes of parameters, written as JSON.
const LARGEST_PARAMETERS: usize = 512 * 1024;
/// The longest delay, in seconds: a thousand years.
const LONGEST_DELAY: i64 = 31_557_600_000;

/// Who created something, as modern servers tell it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedBy {
    /// Its id, where it has one.
    #[serde(default)]
    pub id: Option<Uuid>,
    /// What it is: `USER` for a local user, `FLOW_RUN`, `SCHEDULE`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// How people know it.
    pub display_value: String,
}

impl From<Actor> for CreatedBy {
    fn from(actor: Actor) -> Self {
        Self {
            id: actor.id,
            kind: actor.kind.word().to_owned(),
            display_value: actor.name,
        }
    }
}

impl CreatedBy {
    /// Somebody, where it is known here what that is.
    pub fn into_domain(self) -> Option<Actor> {
        Some(Actor {
            kind: ActorKind::from_word(&self.kind)?,
            id: self.id,
            name: self.display_value,
        })
    }
}

/// How a flow run retries, and what is known of its pauses. Delays are seconds.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct FlowRunPolicy {
    /// An older name of `retries`.
    pub max_retries: i64,
    /// An older name of `retry_delay`.
    pub retry_delay_seconds: f64,
    /// How many times a failed attempt is followed by another.
    pub retries: Option<i64>,
    /// How long to wait before it.
    pub retry_delay: Option<i64>,
    /// The pauses that this attempt has come through.
    #[schema(value_type = Option<Vec<String>>)]
    pub pause_keys: Option<BTreeSet<String>>,
    /// Whether the run left a pause and has not gone on yet.
    pub resuming: Option<bool>,
    /// `in_process` or `reschedule`.
    pub retry_type: Option<String>,
}

impl From<flow_run_policy::FlowRunPolicy> for FlowRunPolicy {
    fn from(policy: flow_run_policy::FlowRunPolicy) -> Self {
        let flow_run_policy::FlowRunPolicy {
            max_retries,
            retry_delay_seconds,
            retries,
            retry_delay,
            pause_keys,
            resuming,
            retry_type,
        } = policy;
        Self {
            max_retries,
            retry_delay_seconds,
            retries,
            retry_delay,
            pause_keys: Some(pause_keys),
            resuming: Some(resuming),
            retry_type: retry_type.map(|kind| kind.word().to_owned()),
        }
    }
}

impl FlowRunPolicy {
    /// What it means; refused where a delay is not to be reckoned with.
    pub fn meaning(self) -> Result<flow_run_policy::FlowRunPolicy, Error> {
        let read = flow_run_policy::FlowRunPolicy {
            max_retries: self.max_retries,
            retry_delay_seconds: self.retry_delay_seconds,
            retries: self.retries,
            retry_delay: self.retry_delay,
            pause_keys: self.pause_keys.unwrap_or_default(),
            resuming: self.resuming.unwrap_or_default(),
            retry_type: self.retry_type.map(|word| retry_type(&word)).transpose()?,
        }
        .with_older_names();
        match read.retry_delay.is_some_and(|it| it.abs() > LONGEST_DELAY) {
            true => Err(Error::invalid(
                "retry_delay must be at most a thousand years, in seconds.",
            )),
            false => Ok(read),
        }
    }
}

fn retry_type(word: &str) -> Result<RetryType, Error> {
    RetryType::from_word(word)
        .ok_or_else(|| Error::invalid("retry_type must be 'in_process' or 'reschedule'."))
}

/// Reads labels: values are texts, numbers or yes and no; null is none at all.
pub fn labels<'de, D: Deserializer<'de>>(deserializer: D) -> Result<JsonMap, D::Error> {
    use serde::de::Error as _;
    let read = Option::<JsonMap>::deserialize(deserializer)?.unwrap_or_default();
    check_labels(&read).map_err(D::Error::custom)?;
    Ok(read)
}

fn check_labels(labels: &JsonMap) -> Result<(), String> {
    if labels.len() > MOST_LABELS {
        return Err(format!("At most {MOST_LABELS} labels are kept"));
    }
    let is_plain =
        |value: &serde_json::Value| value.is_string() || value.is_number() || value.is_boolean();
    match labels.iter().find(|(_, value)| !is_plain(value)) {
        Some((key, _)) => Err(format!(
            "The label {key:?} should be a string, a number, or true or false"
        )),
        None => Ok(()),
    }
}

/// Reads parameters, of which there is not too much.
pub fn parameters<'de, D: Deserializer<'de>>(deserializer: D) -> Result<JsonMap, D::Error> {
    use serde::de::Error as _;
    let read = JsonMap::deserialize(deserializer)?;
    let mut length = Length(0);
    // Only counts, and nothing in a map of JSON fails to be written.
    let _ = serde_json::to_writer(&mut length, &read);
    match length.0 <= LARGEST_PARAMETERS {
        true => Ok(read),
        false => Err(D::Error::custom(format!(
            "Flow run parameters must be less than 524,288 bytes when serialized (got {} bytes).",
            length.0
        ))),
    }
}

/// The same of parameters that need not be there.
pub fn some_parameters<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<JsonMap>, D::Error> {
    parameters(deserializer).map(Some)
}

/// Counts what is written.
struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        self.0 += piece.len();
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Bounded {
        #[serde(default, deserialize_with = "labels")]
        labels: JsonMap,
        #[serde(default, deserialize_with = "parameters")]
        parameters: JsonMap,
    }

    #[test]
    fn labels_are_plain_and_few() {
        let read = |value| serde_json::from_value::<Bounded>(json!({ "labels": value }));
        assert_eq!(
            read(json!({ "a": 1, "b": "x", "c": true }))
                .unwrap()
                .labels
                .len(),
            3
        );
        assert!(read(json!(null)).unwrap().labels.is_empty());
        assert!(read(json!({ "a": null })).is_err());
        assert!(read(json!({ "a": [1] })).is_err());
        let many: JsonMap = (0..=MOST_LABELS)
            .map(|n| (n.to_string(), json!(n)))
            .collect();
        assert!(read(many.into()).is_err());
    }

    #[test]
    fn parameters_are_bounded_as_they_are_written() {
        let read = |length: usize| {
            serde_json::from_value::<Bounded>(json!({ "parameters": { "a": "x".repeat(length) } }))
        };
        let frame = r#"{"a":""}"#.len();
        let most = LARGEST_PARAMETERS - frame;
        assert_eq!(read(most).unwrap().parameters.len(), 1);
        let refusal = read(most + 1).unwrap_err().to_string();
        assert!(refusal.contains("524,288"), "{refusal}");
    }

    #[test]
    fn a_policy_goes_both_ways() {
        let wire = json!({
            "max_retries": 0, "retry_delay_seconds": 0.0, "retries": 2, "retry_delay": 5,
            "pause_keys": ["1"], "resuming": true, "retry_type": "in_process",
        });
        let read: FlowRunPolicy = serde_json::from_value(wire.clone()).unwrap();
        let told = FlowRunPolicy::from(read.meaning().unwrap());
        assert_eq!(serde_json::to_value(told).unwrap(), wire);
        let unknown = FlowRunPolicy {
            retry_type: Some("x".to_owned()),
            ..FlowRunPolicy::default()
        };
        assert!(unknown.meaning().is_err());
    }
}

//! Labels: texts, numbers and flags by name.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use crate::domain::JsonMap;

/// The most labels of one thing.
const MOST: usize = 500;

/// Labels as a client gives them.
#[derive(Clone, Debug, Default, PartialEq, ToSchema)]
#[schema(value_type = Object)]
pub struct Labels(JsonMap);

impl From<Labels> for JsonMap {
    fn from(labels: Labels) -> Self {
        labels.0
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let labels = JsonMap::deserialize(deserializer)?;
        if labels.len() > MOST {
            return Err(D::Error::custom(format!(
                "at most {MOST} labels can be given"
            )));
        }
        let is_plain = |value: &serde_json::Value| {
            value.is_string() || value.is_number() || value.is_boolean()
        };
        match labels.iter().find(|(_, value)| !is_plain(value)) {
            Some((name, _)) => Err(D::Error::custom(format!(
                "the label {name:?} is neither a text nor a number nor a flag"
            ))),
            None => Ok(Self(labels)),
        }
    }
}

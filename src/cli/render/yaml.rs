//! YAML of values whose numbers keep their text.

use serde::{Serialize, Serializer};
use serde_json::{Number, Value};

use crate::cli::failure::{Failure, Result};

/// A value as YAML. By way of JSON text, since serde_json hands its numbers to another format as
/// objects that hold their text.
pub fn yaml<T: Serialize>(value: &T) -> Result<String> {
    let failed = |error: serde_yaml_ng::Error| Failure::new(error.to_string());
    let json = serde_json::to_value(value).map_err(|error| Failure::new(error.to_string()))?;
    serde_yaml_ng::to_string(&Plain(&json)).map_err(failed)
}

/// A JSON value as YAML, which it always is too, without the end of its last line.
pub fn yaml_of(value: &Value) -> String {
    let text = yaml(value).unwrap_or_default();
    text.trim_end().to_owned()
}

/// A JSON value whose numbers are handed on as numbers, as text where no machine's number is
/// that exact.
struct Plain<'a>(&'a Value);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self.0 {
            Value::Number(number) => number_as(number, serializer),
            Value::Array(items) => serializer.collect_seq(items.iter().map(Plain)),
            Value::Object(map) => {
                serializer.collect_map(map.iter().map(|(key, value)| (key, Plain(value))))
            }
            other => other.serialize(serializer),
        }
    }
}

fn number_as<S: Serializer>(
    number: &Number,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    let text = number.as_str();
    let exact = |told: String| told == text;
    if let Some(whole) = number.as_i128() {
        return serializer.serialize_i128(whole);
    }
    match number.as_f64() {
        Some(float) if exact(float.to_string()) || exact(format!("{float:?}")) => {
            serializer.serialize_f64(float)
        }
        _ => serializer.serialize_str(text),
    }
}

//! Documents that say by their `type` what they are.
//!
//! In the code they are enums, each variant of which is named by the type. What is in between is
//! a JSON value: numbers keep their text there, as they would not in serde's own tagged enums.

use serde::de::{DeserializeOwned, Error as _};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// The member that says what a document is.
const TYPE: &str = "type";

/// What such documents are.
pub trait Tagged: DeserializeOwned {
    /// The type of one that does not say its own.
    const USUAL: &'static str;
}

/// Reads a document.
pub fn read<'de, D, T>(given: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Tagged,
{
    parsed(Value::deserialize(given)?).map_err(D::Error::custom)
}

/// Reads a list of documents.
pub fn read_all<'de, D, T>(given: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Tagged,
{
    let all = Vec::<Value>::deserialize(given)?.into_iter().enumerate();
    let parsed = all.map(|(index, one)| {
        parsed(one).map_err(|error| D::Error::custom(format!("{index}: {error}")))
    });
    parsed.collect()
}

/// Reads a list of documents that there need not be.
pub fn read_some<'de, D, T>(given: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Tagged,
{
    read_all(given).map(Some)
}

/// Writes a document.
pub fn write<S: Serializer, T: Serialize>(document: &T, to: S) -> Result<S::Ok, S::Error> {
    value(document).map_err(S::Error::custom)?.serialize(to)
}

/// Writes a list of documents.
pub fn write_all<S: Serializer, T: Serialize>(all: &[T], to: S) -> Result<S::Ok, S::Error> {
    let values: serde_json::Result<Vec<_>> = all.iter().map(value).collect();
    values.map_err(S::Error::custom)?.serialize(to)
}

/// A document as JSON.
///
/// # Errors
/// Where the type is no enum whose variants are objects.
pub fn value<T: Serialize>(document: &T) -> serde_json::Result<Value> {
    let Value::Object(outer) = serde_json::to_value(document)? else {
        return Err(<serde_json::Error as serde::ser::Error>::custom(
            "a document is an object",
        ));
    };
    let mut all = crate::domain::JsonMap::new();
    for (name, inner) in outer {
        all.insert(TYPE.to_owned(), name.into());
        if let Value::Object(members) = inner {
            all.extend(members);
        }
    }
    Ok(Value::Object(all))
}

/// The document that a value is.
///
/// # Errors
/// Where it is none, and why.
pub fn parsed<T: Tagged>(given: Value) -> serde_json::Result<T> {
    let Value::Object(mut members) = given else {
        return Err(<serde_json::Error as serde::de::Error>::custom(
            "expected an object",
        ));
    };
    let name = match members.remove(TYPE) {
        None => T::USUAL.to_owned(),
        Some(Value::String(name)) => name,
        Some(_) => {
            return Err(<serde_json::Error as serde::de::Error>::custom(
                "the type is a text",
            ));
        }
    };
    serde_json::from_value(serde_json::json!({ name: members }))
}

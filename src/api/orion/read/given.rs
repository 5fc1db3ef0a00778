//! JSON as it was sent.
//!
//! Every request is read once and then thrown away, so a [`Given`] borrows its texts from the
//! body and an object is a list of its members: nothing is hashed, and next to nothing copied.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use crate::domain::JsonMap;

/// A value in a request's body.
#[derive(Clone, Debug)]
pub enum Given<'a> {
    /// Null.
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text.
    String(Cow<'a, str>),
    /// A list.
    Array(Vec<Given<'a>>),
    /// An object.
    Object(Members<'a>),
}

/// An object's members in the order in which they were sent. The last of a name counts.
#[derive(Clone, Debug, Default)]
pub struct Members<'a>(Vec<(Cow<'a, str>, Given<'a>)>);

impl<'a> Given<'a> {
    /// True for null.
    pub fn is_null(&self) -> bool {
        matches!(self, Given::Null)
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Given::String(text) => Some(text),
            _ => None,
        }
    }

    /// The members, if it is an object.
    pub fn as_object(&self) -> Option<&Members<'a>> {
        match self {
            Given::Object(members) => Some(members),
            _ => None,
        }
    }
}

impl<'a> Members<'a> {
    /// The value of that name.
    pub fn get(&self, name: &str) -> Option<&Given<'a>> {
        let mut from_last = self.0.iter().rev();
        from_last
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// All names, as often as they were sent.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_ref())
    }

    /// The members that count, each where its name came first.
    pub fn entries(&self) -> Vec<(&str, &Given<'a>)> {
        let mut places = HashMap::new();
        let mut entries: Vec<(&str, &Given<'a>)> = Vec::with_capacity(self.0.len());
        for (key, value) in &self.0 {
            let place = *places.entry(key.as_ref()).or_insert(entries.len());
            match entries.get_mut(place) {
                Some(known) => known.1 = value,
                None => entries.push((key, value)),
            }
        }
        entries
    }

    /// The members as they are kept.
    pub fn to_map(&self) -> JsonMap {
        let kept = |(key, value): &(Cow<'_, str>, Given<'_>)| (key.to_string(), Value::from(value));
        self.0.iter().map(kept).collect()
    }
}

impl<'a> FromIterator<(Cow<'a, str>, Given<'a>)> for Members<'a> {
    fn from_iter<I: IntoIterator<Item = (Cow<'a, str>, Given<'a>)>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}

impl From<&Given<'_>> for Value {
    fn from(given: &Given<'_>) -> Self {
        match given {
            Given::Null => Value::Null,
            Given::Bool(flag) => Value::Bool(*flag),
            Given::Number(number) => Value::Number(number.clone()),
            Given::String(text) => Value::String(text.to_string()),
            Given::Array(items) => items.iter().map(Value::from).collect(),
            Given::Object(members) => Value::Object(members.to_map()),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Given<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Whatever)
    }
}

/// A name, borrowed where it holds no escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_str(Whatever)? {
            Given::String(text) => Ok(Self(text)),
            _ => Err(D::Error::custom("a name that is no text")),
        }
    }
}

struct Whatever;

impl<'de> Visitor<'de> for Whatever {
    type Value = Given<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Given<'de>, E> {
        Ok(Given::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Given<'de>, E> {
        Ok(Given::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Given<'de>, E> {
        Ok(Given::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Given<'de>, E> {
        Ok(Given::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Given<'de>, E> {
        Ok(Number::from_f64(number).map_or(Given::Null, Given::Number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Given<'de>, E> {
        Ok(Given::String(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Given<'de>, E> {
        Ok(Given::String(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Given<'de>, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        Ok(Given::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Given<'de>, A::Error> {
        let mut all = Vec::new();
        while let Some(Name(name)) = members.next_key()? {
            all.push((name, members.next_value()?));
        }
        Ok(Given::Object(Members(all)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Given;

    #[test]
    fn a_value_is_read_as_serde_json_reads_it() {
        for text in [
            r#"{"b": [1, -2, 2.5, 1e3, true, null], "a": {"ü\n": "\u00fc"}, "b": 18446744073709551615}"#,
            r#""plain""#,
            "[]",
            "-0",
        ] {
            let given: Given<'_> = serde_json::from_str(text).unwrap();
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(Value::from(&given).to_string(), value.to_string());
        }
    }

    #[test]
    fn the_last_of_a_name_counts() {
        let given: Given<'_> = serde_json::from_str(r#"{"a": 1, "b": 2, "a": 3}"#).unwrap();
        let members = given.as_object().unwrap();
        assert_eq!(members.get("a").map(Value::from), Some(json!(3)));
        assert!(members.get("c").is_none());
        let kept = members.entries().into_iter();
        let kept: Vec<_> = kept.map(|(name, value)| (name, value.into())).collect();
        assert_eq!(kept, [("a", json!(3)), ("b", json!(2))]);
    }
}

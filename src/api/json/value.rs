//! A JSON value that borrows from the body it was read from.
//!
//! Every request is read once and then thrown away, so a [`JsonValue`] borrows its texts from the
//! body and an object is a list of its members: nothing is hashed, and next to nothing copied.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde_json::{Number, Value};

use crate::domain::JsonMap;

/// A value in a request's body.
#[derive(Clone, Debug)]
pub enum JsonValue<'a> {
    /// Null.
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Numeral<'a>),
    /// Text.
    String(Cow<'a, str>),
    /// A list.
    Array(Vec<JsonValue<'a>>),
    /// An object.
    Object(Members<'a>),
}

/// A number as it was written.
#[derive(Clone, Copy, Debug)]
pub struct Numeral<'a>(&'a str);

/// What a number is to a machine.
#[derive(Clone, Copy, Debug)]
pub(super) enum Exact {
    /// A whole number of 64 bits.
    Signed(i64),
    /// One that needs the last bit.
    Unsigned(u64),
    /// A float that is written in the same way.
    Float(f64),
    /// None that is exactly this.
    Text,
}

/// An object's members in the order in which they were sent. The last of a name counts.
#[derive(Clone, Debug, Default)]
pub struct Members<'a>(Vec<(Cow<'a, str>, JsonValue<'a>)>);

impl<'a> JsonValue<'a> {
    /// True for null.
    pub fn is_null(&self) -> bool {
        matches!(self, JsonValue::Null)
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            JsonValue::String(text) => Some(text),
            _ => None,
        }
    }

    /// The members, if it is an object.
    pub fn as_object(&self) -> Option<&Members<'a>> {
        match self {
            JsonValue::Object(members) => Some(members),
            _ => None,
        }
    }
}

impl<'a> Numeral<'a> {
    /// Of a text that is a JSON number.
    pub(super) const fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// The whole number, if it is written as one and has at most 64 bits.
    pub fn as_i64(self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// The nearest float; none when that is infinite.
    pub fn as_f64(self) -> Option<f64> {
        self.0.parse().ok().filter(|float: &f64| float.is_finite())
    }

    /// Whether it is written without a fraction and without an exponent.
    pub fn is_whole(self) -> bool {
        !self.0.contains(['.', 'e', 'E'])
    }

    /// The machine's number that is written in the same way, if one is.
    pub(super) fn exact(self) -> Exact {
        if self.is_whole() && self.0 != "-0" {
            let unsigned = || self.0.parse().map(Exact::Unsigned).ok();
            let signed = self.as_i64().map(Exact::Signed);
            return signed.or_else(unsigned).unwrap_or(Exact::Text);
        }
        match self.as_f64() {
            Some(float) if format!("{float:?}") == self.0 => Exact::Float(float),
            _ => Exact::Text,
        }
    }

    /// The number as it is kept: with all its digits, and an exponent as serde_json reads it
    /// back, in lower case and with its sign.
    pub fn to_number(self) -> Number {
        match self.0.split_once(['e', 'E']) {
            Some((digits, exponent)) if !exponent.starts_with(['+', '-']) => {
                Number::from_string_unchecked(format!("{digits}e+{exponent}"))
            }
            Some((digits, exponent)) => {
                Number::from_string_unchecked(format!("{digits}e{exponent}"))
            }
            None => Number::from_string_unchecked(self.0.to_owned()),
        }
    }
}

impl fmt::Display for Numeral<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl<'a> Members<'a> {
    /// In that order.
    pub(super) const fn new(members: Vec<(Cow<'a, str>, JsonValue<'a>)>) -> Self {
        Self(members)
    }

    /// How many were sent.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// All members, as often as they were sent.
    pub(super) fn into_all(self) -> Vec<(Cow<'a, str>, JsonValue<'a>)> {
        self.0
    }

    /// All members, as often as they were sent.
    pub fn all(&self) -> impl Iterator<Item = (&str, &JsonValue<'a>)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), value))
    }

    /// The value of that name.
    pub fn get(&self, name: &str) -> Option<&JsonValue<'a>> {
        let mut from_last = self.0.iter().rev();
        from_last
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut JsonValue<'a>> {
        let mut from_last = self.0.iter_mut().rev();
        from_last
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// Takes the value of that name out, and all that it stood for.
    pub fn take(&mut self, name: &str) -> Option<JsonValue<'a>> {
        let last = self.0.iter().rposition(|(key, _)| key == name)?;
        let (_, value) = self.0.remove(last);
        self.0.retain(|(key, _)| key != name);
        Some(value)
    }

    /// Adds a member.
    pub fn put(&mut self, name: &'a str, value: JsonValue<'a>) {
        self.0.push((name.into(), value));
    }

    /// All names, as often as they were sent.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_ref())
    }

    /// The members that count, each where its name came first.
    pub fn entries(&self) -> Vec<(&str, &JsonValue<'a>)> {
        let mut places = HashMap::new();
        let mut entries: Vec<(&str, &JsonValue<'a>)> = Vec::with_capacity(self.0.len());
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
        let kept =
            |(key, value): &(Cow<'_, str>, JsonValue<'_>)| (key.to_string(), Value::from(value));
        self.0.iter().map(kept).collect()
    }
}

impl<'a> FromIterator<(Cow<'a, str>, JsonValue<'a>)> for Members<'a> {
    fn from_iter<I: IntoIterator<Item = (Cow<'a, str>, JsonValue<'a>)>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}

impl From<&JsonValue<'_>> for Value {
    fn from(given: &JsonValue<'_>) -> Self {
        match given {
            JsonValue::Null => Value::Null,
            JsonValue::Bool(flag) => Value::Bool(*flag),
            JsonValue::Number(number) => Value::Number(number.to_number()),
            JsonValue::String(text) => Value::String(text.to_string()),
            JsonValue::Array(items) => items.iter().map(Value::from).collect(),
            JsonValue::Object(members) => Value::Object(members.to_map()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::parse;

    #[test]
    fn the_last_of_a_name_counts() {
        let given = parse(r#"{"a": 1, "b": 2, "a": 3}"#).unwrap();
        let members = given.as_object().unwrap();
        assert_eq!(members.get("a").map(Value::from), Some(json!(3)));
        assert!(members.get("c").is_none());
        let kept = members.entries().into_iter();
        let kept: Vec<_> = kept.map(|(name, value)| (name, value.into())).collect();
        assert_eq!(kept, [("a", json!(3)), ("b", json!(2))]);
    }

    #[test]
    fn numbers_keep_their_text() {
        for text in [
            "202402144809161001040",
            "18446744073709551616",
            "-170141183460469231731687303715884105729",
            "0.1000000000000000055511151231257827021181583404541015625",
            "1.0",
            "1.50",
            "1e+5",
            "1.50e-7",
            "-0",
            "-0.0",
            "1e+400",
        ] {
            let kept = Value::from(&parse(text).unwrap());
            assert_eq!(kept.to_string(), text);
            let stored: Value = serde_json::from_str(&kept.to_string()).unwrap();
            assert_eq!(stored.to_string(), text, "after it was stored");
        }
        let kept = Value::from(&parse("[1E5, 1e5]").unwrap());
        assert_eq!(kept.to_string(), "[1e+5,1e+5]");
    }
}

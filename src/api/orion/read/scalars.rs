//! Readers for plain values, with the leniency of the 2.0a7 server's models: numbers pass
//! for strings, numeric strings for numbers, and words such as "yes" for booleans.

use std::borrow::Cow;

use serde_json::json;
use uuid::Uuid;

use super::given::{Given, Members};
use super::{Cursor, Step};
use crate::domain::JsonMap;

/// Text; numbers and booleans are written out.
pub fn string(value: &Given<'_>, cursor: &mut Cursor) -> Option<String> {
    match value {
        Given::String(text) => Some(text.to_string()),
        Given::Number(number) => Some(number.to_string()),
        Given::Bool(true) => Some("True".to_owned()),
        Given::Bool(false) => Some("False".to_owned()),
        _ => cursor.fault("str type expected", "type_error.str"),
    }
}

/// A whole number; a fraction is cut off.
pub fn integer(value: &Given<'_>, cursor: &mut Cursor) -> Option<i64> {
    let number = match value {
        Given::Number(number) => number
            .as_i64()
            .or_else(|| number.as_f64().map(|float| float.trunc() as i64)),
        Given::Bool(flag) => Some((*flag).into()),
        Given::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    match number {
        Some(number) => Some(number),
        None => cursor.fault("value is not a valid integer", "type_error.integer"),
    }
}

/// A number.
pub fn number(value: &Given<'_>, cursor: &mut Cursor) -> Option<f64> {
    let number = match value {
        Given::Number(number) => number.as_f64(),
        Given::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Given::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    match number {
        Some(number) => Some(number),
        None => cursor.fault("value is not a valid float", "type_error.float"),
    }
}

/// True or false.
pub fn boolean(value: &Given<'_>, cursor: &mut Cursor) -> Option<bool> {
    let flag = match value {
        Given::Bool(flag) => Some(*flag),
        Given::Number(number) if number.as_f64() == Some(0.0) => Some(false),
        Given::Number(number) if number.as_f64() == Some(1.0) => Some(true),
        Given::String(text) => match text.to_lowercase().as_str() {
            "0" | "off" | "f" | "false" | "n" | "no" => Some(false),
            "1" | "on" | "t" | "true" | "y" | "yes" => Some(true),
            _ => None,
        },
        _ => None,
    };
    match flag {
        Some(flag) => Some(flag),
        None => cursor.fault("value could not be parsed to a boolean", "type_error.bool"),
    }
}

/// An id of some noun.
pub fn id<T>(from: impl Fn(Uuid) -> T) -> impl Fn(&Given<'_>, &mut Cursor) -> Option<T> {
    move |value, cursor| match value.as_str().and_then(|text| Uuid::parse_str(text).ok()) {
        Some(uuid) => Some(from(uuid)),
        None => cursor.fault("value is not a valid uuid", "type_error.uuid"),
    }
}

/// An object of whatever content.
pub fn map(value: &Given<'_>, cursor: &mut Cursor) -> Option<JsonMap> {
    dict(value, cursor).map(|members| members.to_map())
}

/// An object, or what Python makes a dictionary of: a list of pairs, or nothing at all.
pub(super) fn dict<'v>(value: &'v Given<'v>, cursor: &mut Cursor) -> Option<Cow<'v, Members<'v>>> {
    let map = match value {
        Given::Object(map) => Some(Cow::Borrowed(map)),
        Given::Array(pairs) => pairs
            .iter()
            .map(pair)
            .collect::<Option<_>>()
            .map(Cow::Owned),
        Given::String(text) if text.is_empty() => Some(Cow::Owned(Members::default())),
        _ => None,
    };
    match map {
        Some(map) => Some(map),
        None => cursor.fault("value is not a valid dict", "type_error.dict"),
    }
}

/// Two of anything that can be walked: a list, the keys of an object, or characters.
fn pair<'v>(value: &'v Given<'v>) -> Option<(Cow<'v, str>, Given<'v>)> {
    let text = |text: Cow<'v, str>| Given::String(text);
    let parts: Vec<Given<'v>> = match value {
        Given::Array(items) => items.clone(),
        Given::Object(members) => {
            let entries = members.entries().into_iter();
            entries.map(|(key, _)| text(key.into())).collect()
        }
        Given::String(all) => all.chars().map(|c| text(c.to_string().into())).collect(),
        _ => Vec::new(),
    };
    match <[Given<'v>; 2]>::try_from(parts) {
        Ok([Given::String(key), value]) => Some((key, value)),
        _ => None,
    }
}

/// A value within another, of which null is none.
fn member<T>(
    step: Step,
    value: &Given<'_>,
    cursor: &mut Cursor,
    read: impl Fn(&Given<'_>, &mut Cursor) -> Option<T>,
) -> Option<T> {
    cursor.within(step, |cursor| match value {
        Given::Null => {
            let msg = "none is not an allowed value";
            cursor.fault(msg, "type_error.none.not_allowed")
        }
        value => read(value, cursor),
    })
}

/// An object whose values are all read alike.
pub fn map_of<T>(
    read: impl Fn(&Given<'_>, &mut Cursor) -> Option<T>,
) -> impl Fn(&Given<'_>, &mut Cursor) -> Option<Vec<(String, T)>> {
    move |value, cursor| {
        let members = dict(value, cursor)?;
        let read_all: Vec<_> = members
            .entries()
            .into_iter()
            .map(|(key, value)| {
                let read = member(Step::Key(key.to_owned().into()), value, cursor, &read);
                read.map(|read| (key.to_owned(), read))
            })
            .collect();
        read_all.into_iter().collect()
    }
}

/// A list whose items are all read alike.
pub fn list<T>(
    read: impl Fn(&Given<'_>, &mut Cursor) -> Option<T>,
) -> impl Fn(&Given<'_>, &mut Cursor) -> Option<Vec<T>> {
    move |value, cursor| {
        let Given::Array(items) = value else {
            return cursor.fault("value is not a valid list", "type_error.list");
        };
        let read_all: Vec<_> = items
            .iter()
            .enumerate()
            .map(|(index, item)| member(Step::Index(index), item, cursor, &read))
            .collect();
        read_all.into_iter().collect()
    }
}

/// One of a few words.
pub fn choice<T: Copy>(
    choices: &'static [(&'static str, T)],
) -> impl Fn(&Given<'_>, &mut Cursor) -> Option<T> {
    move |value, cursor| {
        let chosen = value
            .as_str()
            .and_then(|text| choices.iter().find(|(word, _)| *word == text));
        if let Some((_, meant)) = chosen {
            return Some(*meant);
        }
        let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
        let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
        cursor.fault_with(
            format!(
                "value is not a valid enumeration member; permitted: {}",
                quoted.join(", ")
            ),
            "type_error.enum",
            Some(json!({ "enum_values": words })),
        )
    }
}

/// A whole number from `least` to `most`.
pub fn within(least: i64, most: i64) -> impl Fn(&Given<'_>, &mut Cursor) -> Option<i64> {
    move |value, cursor| {
        let number = integer(value, cursor)?;
        let (word, kind, limit) = if number < least {
            ("greater", "value_error.number.not_ge", least)
        } else if number > most {
            ("less", "value_error.number.not_le", most)
        } else {
            return Some(number);
        };
        let msg = format!("ensure this value is {word} than or equal to {limit}");
        cursor.fault_with(msg, kind, Some(json!({ "limit_value": limit })))
    }
}

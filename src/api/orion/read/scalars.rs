//! Readers for plain values, with the leniency of the 2.0a7 server's models: numbers pass
//! for strings, numeric strings for numbers, and words such as "yes" for booleans.

use std::borrow::Cow;

use serde_json::{Number, json};
use uuid::Uuid;

use super::{JsonValue, Members, ReadContext, Step};
use crate::api::json::Numeral;
use crate::domain::JsonMap;

/// Text; numbers and booleans are written out.
pub fn string(value: &JsonValue<'_>, context: &mut ReadContext) -> Option<String> {
    match value {
        JsonValue::String(text) => Some(text.to_string()),
        JsonValue::Number(number) => Some(written(*number)),
        JsonValue::Bool(true) => Some("True".to_owned()),
        JsonValue::Bool(false) => Some("False".to_owned()),
        _ => context.fault("str type expected", "type_error.str"),
    }
}

/// A name; none where what is given is false to Python, which asks for a random one.
pub fn string_or_random(
    value: &JsonValue<'_>,
    context: &mut ReadContext,
) -> Option<Option<String>> {
    let is_false = match value {
        JsonValue::Null | JsonValue::Bool(false) => true,
        JsonValue::Bool(true) => false,
        JsonValue::Number(number) => number.as_f64() == Some(0.0),
        JsonValue::String(text) => text.is_empty(),
        JsonValue::Array(items) => items.is_empty(),
        JsonValue::Object(members) => members.len() == 0,
    };
    match is_false {
        true => Some(None),
        false => string(value, context).map(Some),
    }
}

/// A number as text: a whole one to its last digit, another as Python writes a float.
fn written(number: Numeral<'_>) -> String {
    if number.is_whole() {
        let text = number.to_string();
        return match text.as_str() {
            "-0" => "0".to_owned(),
            _ => text,
        };
    }
    let float = number.as_f64().and_then(Number::from_f64);
    float.map_or_else(|| number.to_string(), |float| float.to_string())
}

/// A whole number of at most 64 bits; a fraction is cut off.
pub fn integer(value: &JsonValue<'_>, context: &mut ReadContext) -> Option<i64> {
    // One beyond the largest, which floats hold exactly.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    let whole = |float: f64| (-BEYOND..BEYOND).contains(&float).then_some(float as i64);
    let number = match value {
        JsonValue::Number(number) => number.as_i64().or_else(|| match number.is_whole() {
            true => None,
            false => number.as_f64().map(f64::trunc).and_then(whole),
        }),
        JsonValue::Bool(flag) => Some((*flag).into()),
        JsonValue::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    match number {
        Some(number) => Some(number),
        None => context.fault("value is not a valid integer", "type_error.integer"),
    }
}

/// A finite number.
pub fn number(value: &JsonValue<'_>, context: &mut ReadContext) -> Option<f64> {
    let number = match value {
        JsonValue::Number(number) => number.as_f64(),
        JsonValue::Bool(flag) => Some(f64::from(u8::from(*flag))),
        JsonValue::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    match number.filter(|number: &f64| number.is_finite()) {
        Some(number) => Some(number),
        None => context.fault("value is not a valid float", "type_error.float"),
    }
}

/// True or false.
pub fn boolean(value: &JsonValue<'_>, context: &mut ReadContext) -> Option<bool> {
    let flag = match value {
        JsonValue::Bool(flag) => Some(*flag),
        JsonValue::Number(number) if number.as_f64() == Some(0.0) => Some(false),
        JsonValue::Number(number) if number.as_f64() == Some(1.0) => Some(true),
        JsonValue::String(text) => match text.to_lowercase().as_str() {
            "0" | "off" | "f" | "false" | "n" | "no" => Some(false),
            "1" | "on" | "t" | "true" | "y" | "yes" => Some(true),
            _ => None,
        },
        _ => None,
    };
    match flag {
        Some(flag) => Some(flag),
        None => context.fault("value could not be parsed to a boolean", "type_error.bool"),
    }
}

/// An id as Python reads one: 32 hexadecimal digits, with dashes wherever they are, braces
/// around it, and `urn:` and `uuid:` anywhere.
fn uuid(text: &str) -> Option<Uuid> {
    // The form in which nearly all are written.
    if text.len() == 36
        && let Ok(uuid) = Uuid::try_parse(text)
    {
        return Some(uuid);
    }
    // No such id is longer, whatever is around it.
    if text.len() > 100 {
        return None;
    }
    let bare = text.replace("urn:", "").replace("uuid:", "");
    let bare = bare.trim_matches(['{', '}']).replace('-', "");
    let is_bare = bare.len() == 32 && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
    Uuid::try_parse(&bare).ok().filter(|_| is_bare)
}

/// An id of some noun.
pub fn id<T>(from: impl Fn(Uuid) -> T) -> impl Fn(&JsonValue<'_>, &mut ReadContext) -> Option<T> {
    move |value, context| match value.as_str().and_then(uuid) {
        Some(uuid) => Some(from(uuid)),
        None => context.fault("value is not a valid uuid", "type_error.uuid"),
    }
}

/// An object of whatever content.
pub fn map(value: &JsonValue<'_>, context: &mut ReadContext) -> Option<JsonMap> {
    dict(value, context).map(|members| members.to_map())
}

/// An object, or what Python makes a dictionary of: a list of pairs, or nothing at all.
pub(super) fn dict<'v>(
    value: &'v JsonValue<'v>,
    context: &mut ReadContext,
) -> Option<Cow<'v, Members<'v>>> {
    let map = match value {
        JsonValue::Object(map) => Some(Cow::Borrowed(map)),
        JsonValue::Array(pairs) => pairs
            .iter()
            .map(pair)
            .collect::<Option<_>>()
            .map(Cow::Owned),
        JsonValue::String(text) if text.is_empty() => Some(Cow::Owned(Members::default())),
        _ => None,
    };
    match map {
        Some(map) => Some(map),
        None => context.fault("value is not a valid dict", "type_error.dict"),
    }
}

/// An object of more members than this is no pair, however often it repeats their names.
const MOST_PARTS: usize = 100;

/// Two of anything that can be walked: a list, the keys of an object, or characters.
fn pair<'v>(value: &'v JsonValue<'v>) -> Option<(Cow<'v, str>, JsonValue<'v>)> {
    let text = |text: Cow<'v, str>| JsonValue::String(text);
    let parts: Vec<JsonValue<'v>> = match value {
        JsonValue::Array(items) if items.len() == 2 => items.clone(),
        JsonValue::Object(members) if members.len() > MOST_PARTS => Vec::new(),
        JsonValue::Object(members) => {
            let entries = members.entries().into_iter();
            entries.map(|(key, _)| text(key.into())).collect()
        }
        JsonValue::String(all) => all
            .chars()
            .take(3)
            .map(|c| text(c.to_string().into()))
            .collect(),
        _ => Vec::new(),
    };
    match <[JsonValue<'v>; 2]>::try_from(parts) {
        Ok([JsonValue::String(key), value]) => Some((key, value)),
        _ => None,
    }
}

/// A value within another, of which null is none.
fn member<T>(
    step: Step,
    value: &JsonValue<'_>,
    context: &mut ReadContext,
    read: impl Fn(&JsonValue<'_>, &mut ReadContext) -> Option<T>,
) -> Option<T> {
    context.within(step, |context| match value {
        JsonValue::Null => {
            let msg = "none is not an allowed value";
            context.fault(msg, "type_error.none.not_allowed")
        }
        value => read(value, context),
    })
}

/// An object whose values are all read alike.
pub fn map_of<T>(
    read: impl Fn(&JsonValue<'_>, &mut ReadContext) -> Option<T>,
) -> impl Fn(&JsonValue<'_>, &mut ReadContext) -> Option<Vec<(String, T)>> {
    move |value, context| {
        let members = dict(value, context)?;
        let read_all: Vec<_> = members
            .entries()
            .into_iter()
            .map_while(|(key, value)| {
                if context.is_full() {
                    return None;
                }
                let read = member(Step::Key(key.to_owned().into()), value, context, &read);
                Some(read.map(|read| (key.to_owned(), read)))
            })
            .collect();
        read_all.into_iter().collect()
    }
}

/// A list whose items are all read alike.
pub fn list<T>(
    read: impl Fn(&JsonValue<'_>, &mut ReadContext) -> Option<T>,
) -> impl Fn(&JsonValue<'_>, &mut ReadContext) -> Option<Vec<T>> {
    move |value, context| {
        let JsonValue::Array(items) = value else {
            return context.fault("value is not a valid list", "type_error.list");
        };
        let read_all: Vec<_> = items
            .iter()
            .enumerate()
            .map_while(|(index, item)| {
                (!context.is_full()).then(|| member(Step::Index(index), item, context, &read))
            })
            .collect();
        read_all.into_iter().collect()
    }
}

/// One of a few words.
pub fn choice<T: Copy>(
    choices: &'static [(&'static str, T)],
) -> impl Fn(&JsonValue<'_>, &mut ReadContext) -> Option<T> {
    move |value, context| {
        let chosen = value
            .as_str()
            .and_then(|text| choices.iter().find(|(word, _)| *word == text));
        if let Some((_, meant)) = chosen {
            return Some(*meant);
        }
        let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
        let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
        context.fault_with(
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
pub fn within(least: i64, most: i64) -> impl Fn(&JsonValue<'_>, &mut ReadContext) -> Option<i64> {
    move |value, context| {
        let number = integer(value, context)?;
        let (word, kind, limit) = if number < least {
            ("greater", "value_error.number.not_ge", least)
        } else if number > most {
            ("less", "value_error.number.not_le", most)
        } else {
            return Some(number);
        };
        let msg = format!("ensure this value is {word} than or equal to {limit}");
        context.fault_with(msg, kind, Some(json!({ "limit_value": limit })))
    }
}

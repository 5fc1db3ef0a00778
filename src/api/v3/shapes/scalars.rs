//! Texts, numbers, truths and ids.

use serde_json::{Number, Value, json};
use uuid::Uuid;

use super::faults::Faults;
use super::table::{Bounds, Pattern};
use crate::api::json::lax;

/// Text of at most so many characters that looks like that.
pub fn text(most: Option<usize>, pattern: Option<&Pattern>, given: &Value, faults: &mut Faults) {
    let Some(text) = given.as_str() else {
        return faults.add("string_type", "Input should be a valid string", given);
    };
    if let Some(most) = most.filter(|most| text.chars().count() > *most) {
        let message = format!("String should have at most {most} characters");
        let context = json!({ "max_length": most });
        return faults.add_with("string_too_long", message, given, context);
    }
    if let Some(pattern) = pattern.filter(|pattern| !pattern.fits(text)) {
        let Pattern(pattern) = pattern;
        let message = format!("String should match pattern '{pattern}'");
        let context = json!({ "pattern": pattern });
        faults.add_with("string_pattern_mismatch", message, given, context);
    }
}

/// A whole number.
pub fn whole(bounds: &Bounds, given: &Value, faults: &mut Faults) {
    let (kind, message) = match given {
        Value::Number(number) if is_whole(number) => return within(bounds, given, faults),
        Value::Bool(_) if !bounds.is_strict => return within(bounds, given, faults),
        Value::Number(number) if !bounds.is_strict => match number.as_f64() {
            Some(float) if float.fract() == 0.0 => return within(bounds, given, faults),
            _ => (
                "int_from_float",
                "Input should be a valid integer, got a number with a fractional part",
            ),
        },
        Value::String(text) if !bounds.is_strict => match lax::whole_in(text) {
            Some(_) => return within(bounds, given, faults),
            None if text.len() > lax::MOST_DIGITS => (
                "int_parsing_size",
                "Unable to parse input string as an integer, exceeded maximum size",
            ),
            None => (
                "int_parsing",
                "Input should be a valid integer, unable to parse string as an integer",
            ),
        },
        _ => ("int_type", "Input should be a valid integer"),
    };
    faults.add(kind, message, given);
}

/// Whether the number is written without a fraction.
fn is_whole(number: &Number) -> bool {
    !number.to_string().contains(['.', 'e', 'E'])
}

/// A number.
pub fn number(bounds: &Bounds, given: &Value, faults: &mut Faults) {
    let (kind, message) = match given {
        Value::Number(_) => return within(bounds, given, faults),
        Value::Bool(_) if !bounds.is_strict => return within(bounds, given, faults),
        Value::String(text) if !bounds.is_strict => match lax::float_in(text) {
            Some(_) => return within(bounds, given, faults),
            None => (
                "float_parsing",
                "Input should be a valid number, unable to parse string as a number",
            ),
        },
        _ => ("float_type", "Input should be a valid number"),
    };
    faults.add(kind, message, given);
}

/// The number that is meant.
pub fn meant(given: &Value) -> Option<f64> {
    match given {
        Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
        Value::String(text) => lax::float_in(text),
        given => given.as_f64(),
    }
}

/// A number within its bounds.
fn within(bounds: &Bounds, given: &Value, faults: &mut Faults) {
    let Some(number) = meant(given) else {
        return;
    };
    for (name, bound) in &bounds.all {
        let limit = bound.as_f64().unwrap_or_default();
        let (is_within, kind, words) = match name.as_str() {
            "ge" => (
                number >= limit,
                "greater_than_equal",
                "greater than or equal to",
            ),
            "le" => (number <= limit, "less_than_equal", "less than or equal to"),
            "gt" => (number > limit, "greater_than", "greater than"),
            _ => (true, "", ""),
        };
        if !is_within {
            let message = format!("Input should be {words} {limit}");
            return faults.add_with(kind, message, given, json!({ name: bound }));
        }
    }
}

/// True or false.
pub fn truth(is_strict: bool, given: &Value, faults: &mut Faults) {
    let is_said = match given {
        Value::Bool(_) => return,
        _ if is_strict => None,
        Value::String(text) => Some(lax::truth_in(text).is_some()),
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.fract() == 0.0 => Some(lax::truth_of(float).is_some()),
            _ => None,
        },
        _ => None,
    };
    match is_said {
        Some(true) => {}
        Some(false) => faults.add(
            "bool_parsing",
            "Input should be a valid boolean, unable to interpret input",
            given,
        ),
        None => faults.add("bool_type", "Input should be a valid boolean", given),
    }
}

/// A UUID.
pub fn id(given: &Value, faults: &mut Faults) {
    let Some(text) = given.as_str() else {
        let message = "UUID input should be a string, bytes or UUID object";
        return faults.add("uuid_type", message, given);
    };
    if let Err(error) = Uuid::parse_str(text) {
        let error = error.to_string();
        let message = format!("Input should be a valid UUID, {error}");
        faults.add_with("uuid_parsing", message, given, json!({ "error": error }));
    }
}

/// One of these values.
pub fn one(
    values: &[Value],
    by_itself: bool,
    prefix: Option<&str>,
    given: &Value,
    faults: &mut Faults,
) {
    if values.contains(given) {
        return;
    }
    let told: Vec<_> = values.iter().map(|value| told(value, prefix)).collect();
    let expected = match told.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    };
    let kind = if by_itself { "literal_error" } else { "enum" };
    let message = format!("Input should be {expected}");
    faults.add_with(kind, message, given, json!({ "expected": expected }));
}

fn told(value: &Value, prefix: Option<&str>) -> String {
    match (value, prefix) {
        (Value::String(text), Some(prefix)) => format!("{prefix}{text}"),
        (Value::String(text), None) => format!("'{text}'"),
        (value, _) => value.to_string(),
    }
}

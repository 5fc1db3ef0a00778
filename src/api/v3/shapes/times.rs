//! Times and lengths of time.

use serde::Deserialize;
use serde_json::{Value, json};

use super::faults::Faults;
use super::table::Bounds;
use crate::api::v3::wire::{Duration, Instant};

/// A time.
pub fn time(given: &Value, faults: &mut Faults) {
    if Instant::deserialize(given).is_ok() {
        return;
    }
    match given {
        Value::String(text) => {
            faults.add_told(&format!("Unable to parse string [{text}]"), given);
        }
        given => faults.add("value_error", "value is not a valid datetime", given),
    }
}

/// A time, of which only the commonest faults are told as pydantic does.
pub fn moment(given: &Value, faults: &mut Faults) {
    if Instant::deserialize(given).is_ok() {
        return;
    }
    let Some(text) = given.as_str() else {
        let message = "Input should be a valid datetime";
        return faults.add("datetime_type", message, given);
    };
    let error = match text.len() < "2020-01-01".len() {
        true => "input is too short",
        false => "invalid character in year",
    };
    let message = format!("Input should be a valid datetime or date, {error}");
    let context = json!({ "error": error });
    faults.add_with("datetime_from_date_parsing", message, given, context);
}

/// A length of time.
pub fn span(bounds: &Bounds, given: &Value, faults: &mut Faults) {
    let length = match given {
        Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
        given => Duration::deserialize(given)
            .ok()
            .map(|Duration(span)| span.as_secs_f64()),
    };
    let Some(length) = length else {
        return match given {
            Value::String(text) => unreadable(text, given, faults),
            Value::Number(_) => refused("durations may not exceed 999,999,999 days", given, faults),
            _ => faults.add(
                "time_delta_type",
                "Input should be a valid timedelta",
                given,
            ),
        };
    };
    if bounds.all.iter().any(|(name, _)| name == "ge") && length < 0.0 {
        let message = "Input should be greater than or equal to 0 seconds";
        let context = json!({ "ge": "0 seconds" });
        faults.add_with("greater_than_equal", message, given, context);
    }
}

fn refused(error: &str, given: &Value, faults: &mut Faults) {
    let message = format!("Input should be a valid timedelta, {error}");
    let context = json!({ "error": error });
    faults.add_with("time_delta_parsing", message, given, context);
}

fn unreadable(text: &str, given: &Value, faults: &mut Faults) {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let error = match unsigned.bytes().next() {
        None => "input is too short",
        Some(b'P') if unsigned.len() < 3 => "input is too short",
        Some(b'P') => "quantity invalid in date part of duration",
        Some(first) if !first.is_ascii_digit() => "invalid digit in duration",
        Some(_) => "\"day\" identifier in duration not correctly formatted",
    };
    refused(error, given, faults);
}

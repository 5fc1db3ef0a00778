//! Numbers and truth in other forms.
//!
//! The reference reads a number where one is meant that is sent as a text, and truth for a number
//! (the lax mode of pydantic). A text is never read of anything else.

use super::value::JsonValue;

/// From here on floats do not hold each whole number.
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;

/// The whole number of 64 bits that is meant: one with a fraction of nothing (30.0), one in a
/// text, truth as 1. Not one that is written as such, which is read as it is.
pub(super) fn whole(value: &JsonValue<'_>) -> Option<i64> {
    match value {
        JsonValue::Number(number) if !number.is_whole() => exact(number.as_f64()?),
        JsonValue::Bool(truth) => Some((*truth).into()),
        JsonValue::String(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| exact(finite(text)?))
        }
        _ => None,
    }
}

/// The finite number that is meant: as it is, in a text, truth as 1.
pub(super) fn float(value: &JsonValue<'_>) -> Option<f64> {
    match value {
        JsonValue::Number(number) => number.as_f64(),
        JsonValue::Bool(truth) => Some(f64::from(u8::from(*truth))),
        JsonValue::String(text) => finite(text.trim()),
        _ => None,
    }
}

/// The truth that is meant: 0 or 1, or a word for it.
pub(super) fn truth(value: &JsonValue<'_>) -> Option<bool> {
    match value {
        JsonValue::Bool(truth) => Some(*truth),
        JsonValue::Number(number) => match number.as_f64() {
            Some(0.0) => Some(false),
            Some(1.0) => Some(true),
            _ => None,
        },
        JsonValue::String(text) => {
            let is_one_of = |words: &[&str]| words.iter().any(|one| text.eq_ignore_ascii_case(one));
            if is_one_of(&["true", "t", "yes", "y", "on", "1"]) {
                Some(true)
            } else if is_one_of(&["false", "f", "no", "n", "off", "0"]) {
                Some(false)
            } else {
                None
            }
        }
        _ => None,
    }
}

fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|float: &f64| float.is_finite())
}

fn exact(float: f64) -> Option<i64> {
    let is_exact = float.fract() == 0.0 && float.abs() < MOST_EXACT;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it has no fraction and few digits"
    )]
    is_exact.then_some(float as i64)
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn numbers_are_read_in_every_form_that_the_reference_reads() {
        for (text, read) in [
            ("30.0", Some(30)),
            ("3e1", Some(30)),
            ("true", Some(1)),
            ("\" 2 \"", Some(2)),
            ("\"2.0\"", Some(2)),
            ("\"2.5\"", None),
            ("\"\"", None),
            ("\"x\"", None),
            ("\"1e300\"", None),
            ("null", None),
            ("[]", None),
        ] {
            assert_eq!(whole(&parse(text).unwrap()), read, "{text}");
        }
        for (text, read) in [
            ("2", Some(2.0)),
            ("\"2.5\"", Some(2.5)),
            ("false", Some(0.0)),
            ("\"inf\"", None),
            ("\"nan\"", None),
            ("1e999", None),
        ] {
            assert_eq!(float(&parse(text).unwrap()), read, "{text}");
        }
    }

    #[test]
    fn truth_is_read_of_its_words() {
        for (text, read) in [
            ("true", Some(true)),
            ("0", Some(false)),
            ("1.0", Some(true)),
            ("2", None),
            ("\"Yes\"", Some(true)),
            ("\"OFF\"", Some(false)),
            ("\"maybe\"", None),
            ("null", None),
        ] {
            assert_eq!(truth(&parse(text).unwrap()), read, "{text}");
        }
    }
}

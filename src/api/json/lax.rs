//! Numbers and truth in other forms.
//!
//! The reference reads a number where one is meant that is sent as a text, and truth for a number
//! (the lax mode of pydantic). A text is never read of anything else. What says why something is
//! refused goes by the same rules (`v3::shapes`).

use super::value::JsonValue;

/// The most digits of a whole number that is written as text.
pub const MOST_DIGITS: usize = 4300;

/// From here on floats do not hold each whole number.
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;

/// The whole number of 64 bits that is meant: one with a fraction of nothing (30.0), one in a
/// text, truth as 1. Not one that is written as such, which is read as it is.
pub(super) fn whole(value: &JsonValue<'_>) -> Option<i64> {
    match value {
        JsonValue::Number(number) if !number.is_whole() => exact(number.as_f64()?),
        JsonValue::Bool(truth) => Some((*truth).into()),
        JsonValue::String(text) => whole_in(text)?.parse().ok(),
        _ => None,
    }
}

/// The sign and digits of the whole number in a text: of ` +1_000.00 ` they are `1000`.
pub fn whole_in(text: &str) -> Option<String> {
    let text = text.trim();
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => ("-", text),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let whole = match text.split_once('.') {
        Some((whole, rest)) if rest.bytes().all(|byte| byte == b'0') && !rest.is_empty() => whole,
        Some(_) => return None,
        None => text,
    };
    let digits = ungrouped(whole)?;
    let is_one = digits.len() <= MOST_DIGITS && digits.bytes().all(|it| it.is_ascii_digit());
    is_one.then(|| format!("{sign}{digits}"))
}

/// A number without the underscores between its digits; none where they are elsewhere.
fn ungrouped(number: &str) -> Option<String> {
    let groups = number.split('_').map(str::as_bytes);
    let is_grouped = |group: &[u8]| !group.is_empty() && group.is_ascii();
    let all: Vec<_> = groups.collect();
    all.iter()
        .all(|group| is_grouped(group))
        .then(|| number.replace('_', ""))
}

/// The finite number that is meant: as it is, in a text, truth as 1.
pub(super) fn float(value: &JsonValue<'_>) -> Option<f64> {
    match value {
        JsonValue::Number(number) => number.as_f64(),
        JsonValue::Bool(truth) => Some(f64::from(u8::from(*truth))),
        JsonValue::String(text) => float_in(text).filter(|float| float.is_finite()),
        _ => None,
    }
}

/// The number in a text, which may be infinite, or none at all (`nan`).
pub fn float_in(text: &str) -> Option<f64> {
    ungrouped(text.trim())?.parse().ok()
}

/// The truth that is meant: 0 or 1, or a word for it.
pub(super) fn truth(value: &JsonValue<'_>) -> Option<bool> {
    match value {
        JsonValue::Bool(truth) => Some(*truth),
        JsonValue::Number(number) => truth_of(number.as_f64()?),
        JsonValue::String(text) => truth_in(text),
        _ => None,
    }
}

/// The truth that a number means.
pub fn truth_of(number: f64) -> Option<bool> {
    match number {
        0.0 => Some(false),
        1.0 => Some(true),
        _ => None,
    }
}

/// The truth that a word means.
pub fn truth_in(text: &str) -> Option<bool> {
    let is_one_of = |words: &[&str]| words.iter().any(|one| text.eq_ignore_ascii_case(one));
    if is_one_of(&["true", "t", "yes", "y", "on", "1"]) {
        Some(true)
    } else if is_one_of(&["false", "f", "no", "n", "off", "0"]) {
        Some(false)
    } else {
        None
    }
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
            ("\"-2_000\"", Some(-2000)),
            ("\"+1.00\"", Some(1)),
            ("\"_1\"", None),
            ("\"1__0\"", None),
            ("\"1.\"", None),
            ("\"1e3\"", None),
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
            ("\"1_000.5\"", Some(1000.5)),
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

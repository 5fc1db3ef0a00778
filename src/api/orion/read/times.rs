//! Instants and lengths of time as the 2.0a7 server reads them: an instant is ISO 8601 with or
//! without a zone, or a number of seconds (or milliseconds, when it is too large for seconds)
//! since 1970; a length is a number of seconds, a clock's, or ISO 8601.
//!
//! That server takes instants that its own clients cannot read afterwards. What is taken here
//! lies within Python's calendar, in UTC as well as by its own clock.

use super::{JsonValue, ReadContext};
use crate::domain::time::{Span, Timestamp};
use chrono::{FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};

/// Beyond this a number means milliseconds.
const MOST_SECONDS: f64 = 2e10;
/// No number beyond this is an instant. That server takes it for the calendar's edge.
const MOST: f64 = 3e20;

/// An instant. Without a zone it is taken to be UTC.
pub fn timestamp(value: &JsonValue<'_>, context: &mut ReadContext) -> Option<Timestamp> {
    let instant = match value {
        JsonValue::Number(number) => number.as_f64().and_then(from_number),
        // To Python, true is 1.
        JsonValue::Bool(flag) => from_number(f64::from(u8::from(*flag))),
        JsonValue::String(text) => match text.trim().parse::<f64>() {
            Ok(number) => from_number(number),
            Err(_) => from_iso(text),
        },
        _ => {
            return context.fault(
                "invalid type; expected datetime, string, bytes, int or float",
                "type_error",
            );
        }
    };
    match instant.filter(|instant| instant.is_in_calendar()) {
        Some(instant) => Some(instant),
        None => context.fault("invalid datetime format", "value_error.datetime"),
    }
}

/// A length of time: seconds as a number, `[D [day[s], ]][[HH:]MM:]SS[.ffffff]`, or ISO 8601.
pub fn duration(value: &JsonValue<'_>, context: &mut ReadContext) -> Option<Span> {
    let span = match value {
        JsonValue::Number(number) => number.as_f64().and_then(Span::of_secs),
        JsonValue::Bool(flag) => Span::of_secs(f64::from(u8::from(*flag))),
        JsonValue::String(text) => clock_duration(text).or_else(|| iso_duration(text)),
        _ => {
            let msg = "invalid type; expected timedelta, string, bytes, int or float";
            return context.fault(msg, "type_error");
        }
    };
    match span {
        Some(span) => Some(span),
        None => context.fault("invalid duration format", "value_error.duration"),
    }
}

/// A number of seconds that is a length of time.
pub fn seconds(value: &JsonValue<'_>, context: &mut ReadContext) -> Option<Span> {
    let secs = super::number(value, context)?;
    match Span::of_secs(secs) {
        Some(span) => Some(span),
        None => context.fault("invalid duration format", "value_error.duration"),
    }
}

/// `[D [day[s], ]][[HH:]MM:]SS[.ffffff]`, where each number but the fraction may be negative.
fn clock_duration(text: &str) -> Option<Span> {
    let (days, clock) = match text.split_once(' ') {
        None => (0.0, text),
        Some((days, rest)) => {
            let clock = match rest.split_once(", ") {
                Some(("day" | "days", clock)) => clock,
                Some(_) => return None,
                None => rest,
            };
            (whole(days)?, clock)
        }
    };
    let (clock, fraction) = match clock.split_once('.') {
        Some((clock, fraction)) if (1..=12).contains(&fraction.len()) => (clock, fraction),
        Some(_) => return None,
        None => (clock, "0"),
    };
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let micros: f64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    let parts: Vec<&str> = clock.split(':').collect();
    let (hours, minutes, seconds) = match parts.as_slice() {
        [seconds] => ("0", "0", *seconds),
        [minutes, seconds] => ("0", *minutes, *seconds),
        [hours, minutes, seconds] => (*hours, *minutes, *seconds),
        _ => return None,
    };
    let part = if seconds.starts_with('-') {
        -micros
    } else {
        micros
    } / 1e6;
    let minutes = whole(hours)? * 60.0 + whole(minutes)?;
    Span::of_secs(days * 86_400.0 + minutes * 60.0 + whole(seconds)? + part)
}

/// Digits, perhaps after a minus sign.
fn whole(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_whole)
}

/// `[±]P[nD][T[nH][nM][nS]]`.
fn iso_duration(text: &str) -> Option<Span> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let (date, clock) = match rest.strip_prefix('P')?.split_once('T') {
        Some((date, clock)) => (date, clock),
        None => (rest.strip_prefix('P')?, ""),
    };
    let secs = amounts(date, &[('D', 86_400.0)])?
        + amounts(clock, &[('H', 3600.0), ('M', 60.0), ('S', 1.0)])?;
    Span::of_secs(sign * secs)
}

/// Numbers, each followed by its unit, in the order of the units; each may be left out.
fn amounts(mut text: &str, units: &[(char, f64)]) -> Option<f64> {
    let mut secs = 0.0;
    for (unit, length) in units {
        let Some((number, rest)) = text.split_once(*unit) else {
            continue;
        };
        let (before, after) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(before) || !digits(after) {
            return None;
        }
        secs += length * number.parse::<f64>().ok()?;
        text = rest;
    }
    text.is_empty().then_some(secs)
}

fn from_number(number: f64) -> Option<Timestamp> {
    if !number.is_finite() || number.abs() > MOST {
        return None;
    }
    let mut secs = number;
    while secs.abs() > MOST_SECONDS {
        secs /= 1000.0;
    }
    Some(Timestamp::from_micros((secs * 1e6).round() as i64))
}

/// `YYYY-MM-DD[T ]HH:MM[:SS[.ffffff]][Z|±HH[:MM]]`.
fn from_iso(text: &str) -> Option<Timestamp> {
    let (date, rest) = text.split_once(['T', ' '])?;
    let zone_at = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(zone_at);
    let local = NaiveDateTime::new(day(date)?, time(clock)?);
    let instant = offset(zone)?.from_local_datetime(&local).single()?;
    Some(instant.with_timezone(&Utc).into())
}

fn day(text: &str) -> Option<NaiveDate> {
    let mut parts = text.split('-');
    let year = parts.next().filter(|year| year.len() == 4)?.parse().ok()?;
    let month = digits(parts.next()?)?;
    let day = digits(parts.next()?)?;
    match parts.next() {
        None => NaiveDate::from_ymd_opt(year, month, day).filter(|_| year >= 1),
        Some(_) => None,
    }
}

fn time(text: &str) -> Option<NaiveTime> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock.split(':');
    let hour = digits(parts.next()?)?;
    let minute = digits(parts.next()?)?;
    let second = parts.next().map_or(Some(0), digits)?;
    let is_told = !fraction.is_empty() || !text.contains('.');
    let valid = is_told && fraction.len() <= 12 && fraction.bytes().all(|b| b.is_ascii_digit());
    if parts.next().is_some() || !valid {
        return None;
    }
    let micros = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    NaiveTime::from_hms_micro_opt(hour, minute, second, micros)
}

fn offset(text: &str) -> Option<FixedOffset> {
    let Some(sign) = text.chars().next().filter(|sign| *sign != 'Z') else {
        return FixedOffset::east_opt(0).filter(|_| text.len() <= 1);
    };
    let digits: String = text.chars().skip(1).filter(|c| *c != ':').collect();
    let (hours, minutes) = match digits.len() {
        2 => (digits.parse::<i32>().ok()?, 0),
        4 => (
            digits.get(..2)?.parse().ok()?,
            digits.get(2..)?.parse::<i32>().ok()?,
        ),
        _ => return None,
    };
    let secs = (hours * 60 + minutes) * 60;
    FixedOffset::east_opt(if sign == '-' { -secs } else { secs })
}

/// One or two digits.
fn digits(text: &str) -> Option<u32> {
    let valid = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    valid.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn read(json: &str) -> Option<i64> {
        let value = parse(json).unwrap();
        timestamp(&value, &mut ReadContext::default()).map(Timestamp::micros)
    }

    fn length(json: &str) -> Option<i64> {
        let value = parse(json).unwrap();
        duration(&value, &mut ReadContext::default()).map(Span::micros)
    }

    #[test]
    fn all_spellings_of_one_instant_agree() {
        let want = Some(1_646_136_000_500_000);
        for text in [
            "2022-03-01T12:00:00.5+00:00",
            "2022-03-01 12:00:00.500000Z",
            "2022-03-01T12:00:00.500000",
            "2022-03-01T13:30:00.5+01:30",
            "2022-03-01T07:00:00.5-0500",
            "2022-03-01T07:00:00.5-05",
            "1646136000.5",
        ] {
            assert_eq!(read(&format!("{text:?}")), want, "{text}");
        }
        assert_eq!(read("1646136000500"), want, "milliseconds");
    }

    #[test]
    fn all_spellings_of_one_length_agree() {
        for value in [
            "3661.5",
            "\"3661.5\"",
            "\"01:01:01.5\"",
            "\"PT1H1M1.5S\"",
            "\"0 days, 1:01:01.5\"",
            "\"0 01:01:01.500\"",
            "\"+P0DT1H1M1.5S\"",
        ] {
            assert_eq!(length(value), Some(3_661_500_000), "{value}");
        }
        assert_eq!(length("\"1 day, 00:00:00\""), Some(86_400_000_000));
        assert_eq!(length("\"-1:30\""), Some(-30_000_000));
        for value in ["\"soon\"", "\"P1X\"", "null"] {
            assert_eq!(length(value), None, "{value}");
        }
    }

    #[test]
    fn what_is_no_length_is_refused() {
        for text in [
            "P1M",
            "P1W",
            "PT1S1H",
            "P1,5D",
            "P.5D",
            "1e3",
            ".5",
            "5.",
            " 5",
            "+5",
            "nan",
            "inf",
            "2 days",
            "1 days 00:00:00",
            "0:0:0:0",
            "5.1234567890123",
            "999999999 00:00:00",
            "P999999999D",
        ] {
            assert_eq!(length(&format!("{text:?}")), None, "{text}");
        }
        for number in ["1e17", "1e300", "1e999", "-1e17", "9223372036854775808"] {
            assert_eq!(length(number), None, "{number}");
        }
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in [
            "",
            "now",
            "2022-03-01",
            "2022-13-01T00:00:00Z",
            "2022-03-01T25:00Z",
            "2022-03-01T00:00:00+1",
            "2022-03-01T00:00:00.Z",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-01:00",
            "inf",
            "-inf",
            "nan",
            "1e300",
            "3.1e20",
            "-1e300",
        ] {
            assert_eq!(read(&format!("{text:?}")), None, "{text}");
        }
        for number in ["1e300", "1e999", "-4e20", &"9".repeat(400)] {
            assert_eq!(read(number), None, "{number}");
        }
        for text in ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"] {
            assert!(read(&format!("{text:?}")).is_some(), "{text}");
        }
        let beyond_64_bits = Some(9_223_372_036_854_774);
        assert_eq!(
            read("9223372036854775808"),
            beyond_64_bits,
            "as that server reads it"
        );
    }
}

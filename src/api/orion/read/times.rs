//! Instants as the 2.0a7 server reads them: ISO 8601 with or without a zone, or a number of
//! seconds (or milliseconds, when it is too large for seconds) since 1970.

use super::{Cursor, Given};
use crate::domain::time::{Span, Timestamp};
use chrono::{FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};

/// Beyond this a number means milliseconds.
const MOST_SECONDS: f64 = 2e10;

/// An instant. Without a zone it is taken to be UTC.
pub fn timestamp(value: &Given<'_>, cursor: &mut Cursor) -> Option<Timestamp> {
    let instant = match value {
        Given::Number(number) => number.as_f64().and_then(from_number),
        // To Python, true is 1.
        Given::Bool(flag) => from_number(f64::from(u8::from(*flag))),
        Given::String(text) => match text.parse::<f64>() {
            Ok(number) => from_number(number),
            Err(_) => from_iso(text),
        },
        _ => {
            return cursor.fault(
                "invalid type; expected datetime, string, bytes, int or float",
                "type_error",
            );
        }
    };
    match instant {
        Some(instant) => Some(instant),
        None => cursor.fault("invalid datetime format", "value_error.datetime"),
    }
}

/// A length of time: seconds as a number, `[D days, ][HH:]MM:SS`, or ISO 8601.
pub fn duration(value: &Given<'_>, cursor: &mut Cursor) -> Option<Span> {
    let span = match value {
        Given::Number(number) => number.as_f64().map(Span::from_secs_f64),
        Given::String(text) => text
            .parse()
            .ok()
            .map(Span::from_secs_f64)
            .or_else(|| clock_duration(text))
            .or_else(|| iso_duration(text)),
        _ => {
            let msg = "invalid type; expected timedelta, string, bytes, int or float";
            return cursor.fault(msg, "type_error");
        }
    };
    match span {
        Some(span) => Some(span),
        None => cursor.fault("invalid duration format", "value_error.duration"),
    }
}

/// `[D day[s], ][HH:]MM:SS[.ffffff]`.
fn clock_duration(text: &str) -> Option<Span> {
    let (days, clock) = match text.split_once(" day") {
        Some((days, clock)) => {
            let clock = clock.trim_start_matches('s').trim_start_matches(',');
            (days.parse::<f64>().ok()?, clock.trim())
        }
        None => (0.0, text),
    };
    let mut secs = 0.0;
    for part in clock.split(':') {
        secs = secs * 60.0 + part.parse::<f64>().ok()?;
    }
    Some(Span::from_secs_f64(days * 86_400.0 + secs))
}

/// `[-]P[nD][T[nH][nM][nS]]`.
fn iso_duration(text: &str) -> Option<Span> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text),
    };
    let mut secs = 0.0;
    let mut number = String::new();
    for letter in rest.strip_prefix('P')?.chars() {
        let unit = match letter {
            '0'..='9' | '.' => {
                number.push(letter);
                continue;
            }
            'T' if number.is_empty() => continue,
            'D' => 86_400.0,
            'H' => 3600.0,
            'M' => 60.0,
            'S' => 1.0,
            _ => return None,
        };
        secs += unit * std::mem::take(&mut number).parse::<f64>().ok()?;
    }
    number.is_empty().then(|| Span::from_secs_f64(sign * secs))
}

fn from_number(number: f64) -> Option<Timestamp> {
    let mut secs = number;
    while secs.abs() > MOST_SECONDS {
        secs /= 1000.0;
    }
    secs.is_finite()
        .then(|| Timestamp::from_micros((secs * 1e6).round() as i64))
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
        None => NaiveDate::from_ymd_opt(year, month, day),
        Some(_) => None,
    }
}

fn time(text: &str) -> Option<NaiveTime> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock.split(':');
    let hour = digits(parts.next()?)?;
    let minute = digits(parts.next()?)?;
    let second = parts.next().map_or(Some(0), digits)?;
    let valid = fraction.len() <= 12 && fraction.bytes().all(|b| b.is_ascii_digit());
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
    use super::*;

    fn read(json: &str) -> Option<i64> {
        let value: Given<'_> = serde_json::from_str(json).unwrap();
        timestamp(&value, &mut Cursor::default()).map(Timestamp::micros)
    }

    fn length(json: &str) -> Option<i64> {
        let value: Given<'_> = serde_json::from_str(json).unwrap();
        duration(&value, &mut Cursor::default()).map(Span::micros)
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
        ] {
            assert_eq!(length(value), Some(3_661_500_000), "{value}");
        }
        for value in ["\"soon\"", "\"P1X\"", "null"] {
            assert_eq!(length(value), None, "{value}");
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
        ] {
            assert_eq!(read(&format!("{text:?}")), None, "{text}");
        }
    }
}

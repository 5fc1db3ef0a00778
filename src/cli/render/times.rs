//! Instants and lengths of time, for people: local, with date and zone.

use chrono::{DateTime, Utc};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime, fmt::strtime};

use crate::api::v3::wire::Instant;

/// An instant in local time.
fn local(at: DateTime<Utc>) -> Option<ZonedDateTime> {
    let at = Timestamp::from_microsecond(at.timestamp_micros()).ok()?;
    Some(at.to_zoned_datetime(TimeZone::system()))
}

fn formatted(at: DateTime<Utc>, form: &str) -> String {
    let shown = local(at).and_then(|at| strtime::format(form, &at).ok());
    shown.unwrap_or_else(|| at.to_rfc3339())
}

/// An instant with its date and zone, such as `2030-01-01 06:00:00 CET`.
pub fn instant(at: Instant) -> String {
    formatted(at.utc(), "%Y-%m-%d %H:%M:%S %Z")
}

/// The same, or that there is none.
pub fn instant_or_none(at: Option<Instant>) -> String {
    at.map_or_else(|| "none".to_owned(), instant)
}

/// An instant in a column: how long ago or how soon, and on which day where that is far.
pub fn near(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    match (now - at).num_days().abs() {
        0 => ago(at, now),
        _ => formatted(at, "%Y-%m-%d %H:%M %Z"),
    }
}

/// When a log line was said: the time of today, and the date where it was not today.
pub fn clock(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let day = |at| local(at).map(|at| at.date());
    if day(at) == day(now) {
        formatted(at, "%H:%M:%S.%3f")
    } else {
        formatted(at, "%Y-%m-%d %H:%M:%S.%3f")
    }
}

/// How long ago something was, in one unit.
pub fn ago(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let secs = (now - at).num_seconds();
    let (count, unit) = match secs.abs() {
        secs @ 0..=59 => (secs, "s"),
        secs @ 60..=3599 => (secs / 60, "min"),
        secs @ 3600..=86_399 => (secs / 3600, "h"),
        secs => (secs / 86_400, "d"),
    };
    match secs {
        0.. => format!("{count} {unit} ago"),
        _ => format!("in {count} {unit}"),
    }
}

/// A length of time in seconds, in the two units that matter.
pub fn lasting(secs: f64) -> String {
    let whole = secs.max(0.0) as u64;
    match whole {
        0..=59 => format!("{:.1} s", secs.max(0.0)),
        60..=3599 => format!("{} min {} s", whole / 60, whole % 60),
        3600..=86_399 => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
        _ => format!("{} d {} h", whole / 86_400, whole % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_in_one_unit() {
        let now = DateTime::from_timestamp(1_000_000, 0).unwrap();
        let then = |secs: i64| DateTime::from_timestamp(1_000_000 - secs, 0).unwrap();
        for (secs, told) in [
            (0, "0 s ago"),
            (59, "59 s ago"),
            (60, "1 min ago"),
            (7200, "2 h ago"),
            (200_000, "2 d ago"),
            (-90, "in 1 min"),
        ] {
            assert_eq!(ago(then(secs), now), told);
        }
    }

    #[test]
    fn lengths_are_told_in_two_units() {
        for (secs, told) in [
            (-1.0, "0.0 s"),
            (1.25, "1.2 s"),
            (61.0, "1 min 1 s"),
            (3700.0, "1 h 1 min"),
            (90_000.0, "1 d 1 h"),
        ] {
            assert_eq!(lasting(secs), told);
        }
    }
}

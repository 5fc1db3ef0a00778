//! Instants as users write them.

use chrono::{DateTime, Utc};
use jiff::civil::{self, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, ZonedDateTime};

/// What is understood.
const FORMS: &str = "understood are now, today, tomorrow, tomorrow 06:00, 06:00, 2030-01-01, \
    2030-01-01T06:00, 2030-01-01T06:00:00+02:00, +10m and +1h30m (s, m, h, d, w); times \
    without a zone are local";

/// An instant to come, such as that of `--at`.
pub fn to_come(text: &str) -> Result<DateTime<Utc>, String> {
    parsed(text, &ZonedDateTime::now(), Toward::Future)
}

/// An instant that has been, such as that of `--since`: a bare length of time is one ago.
pub fn gone(text: &str) -> Result<DateTime<Utc>, String> {
    parsed(text, &ZonedDateTime::now(), Toward::Past)
}

/// A length of time, such as `10m` or `1h30m`.
pub fn length(text: &str) -> Result<std::time::Duration, String> {
    let length = lasting(text).and_then(|length| length.try_into().ok());
    length.ok_or_else(|| "understood are 30s, 10m, 2h, 1d and 1h30m".to_owned())
}

#[derive(Clone, Copy, PartialEq)]
enum Toward {
    Past,
    Future,
}

fn parsed(text: &str, now: &ZonedDateTime, toward: Toward) -> Result<DateTime<Utc>, String> {
    let found = relative(text, now, toward)
        .or_else(|| named(text, now, toward))
        .or_else(|| written(text, now.time_zone()));
    let instant = found.and_then(|at| DateTime::from_timestamp_micros(at.as_microsecond()));
    instant.ok_or_else(|| match toward {
        Toward::Future => FORMS.to_owned(),
        Toward::Past => format!("{FORMS}; 10m and 2h ago are so long ago"),
    })
}

/// `+10m`, `10m ago`, `-10m`, and, of the past, `10m`.
fn relative(text: &str, now: &ZonedDateTime, toward: Toward) -> Option<Timestamp> {
    let now = now.timestamp();
    if let Some(rest) = text.strip_prefix('+') {
        return now.checked_add(lasting(rest)?).ok();
    }
    let back = text.strip_prefix('-').or_else(|| text.strip_suffix(" ago"));
    match (back, toward) {
        (Some(rest), _) => now.checked_sub(lasting(rest)?).ok(),
        (None, Toward::Past) => now.checked_sub(lasting(text)?).ok(),
        (None, Toward::Future) => None,
    }
}

/// `1h30m`: numbers, each with its unit.
fn lasting(text: &str) -> Option<SignedDuration> {
    let mut sum = SignedDuration::ZERO;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let unit = after
            .find(|c: char| c.is_ascii_digit() || c.is_whitespace())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let secs = match unit {
            "s" | "sec" => 1,
            "m" | "min" => 60,
            "h" => 3600,
            "d" => 86_400,
            "w" => 604_800,
            _ => return None,
        };
        let secs = number.parse::<i64>().ok()?.checked_mul(secs)?;
        sum = sum.checked_add(SignedDuration::from_secs(secs))?;
        rest = after.trim_start();
    }
    Some(sum)
}

/// A day by its name, a time of the day, or both.
fn named(text: &str, now: &ZonedDateTime, toward: Toward) -> Option<Timestamp> {
    if text == "now" {
        return Some(now.timestamp());
    }
    if let Some(time) = time_of_day(text) {
        let today = now
            .date()
            .to_datetime(time)
            .to_zoned_datetime(now.time_zone().clone());
        let today = today.ok()?.timestamp();
        let days = match toward {
            Toward::Future if today <= now.timestamp() => 1,
            Toward::Past if today > now.timestamp() => -1,
            _ => return Some(today),
        };
        return on(now, days, time);
    }
    let (day, time) = text.split_once([' ', 'T']).unwrap_or((text, "00:00"));
    let days = match day {
        "yesterday" => -1,
        "today" => 0,
        "tomorrow" => 1,
        _ => return None,
    };
    on(now, days, time_of_day(time)?)
}

fn on(now: &ZonedDateTime, days: i64, time: Time) -> Option<Timestamp> {
    let date = now
        .date()
        .checked_add(Span::new().try_days(days).ok()?)
        .ok()?;
    let at = date
        .to_datetime(time)
        .to_zoned_datetime(now.time_zone().clone());
    Some(at.ok()?.timestamp())
}

fn time_of_day(text: &str) -> Option<Time> {
    let shaped = text.contains(':') && text.len() <= 8;
    shaped.then(|| text.parse().ok())?
}

/// A date, with a time or without, and a zone or the local one.
fn written(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    if let Ok(at) = text.parse::<ZonedDateTime>() {
        return Some(at.timestamp());
    }
    let at: civil::DateTime = text.parse().ok()?;
    zone.to_timestamp(at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> ZonedDateTime {
        "2026-03-28T12:00:00[Europe/Berlin]".parse().unwrap()
    }

    #[track_caller]
    fn read(text: &str, toward: Toward) -> String {
        parsed(text, &now(), toward).unwrap().to_rfc3339()
    }

    #[test]
    fn every_form_is_understood() {
        for (text, at) in [
            ("now", "2026-03-28T11:00:00+00:00"),
            ("today", "2026-03-27T23:00:00+00:00"),
            ("tomorrow", "2026-03-28T23:00:00+00:00"),
            // Clocks are set that night.
            ("tomorrow 06:00", "2026-03-29T04:00:00+00:00"),
            ("06:00", "2026-03-29T04:00:00+00:00"),
            ("18:30", "2026-03-28T17:30:00+00:00"),
            ("2030-01-01", "2029-12-31T23:00:00+00:00"),
            ("2030-01-01T06:00", "2030-01-01T05:00:00+00:00"),
            ("2030-01-01 06:00", "2030-01-01T05:00:00+00:00"),
            ("2030-01-01T06:00:00Z", "2030-01-01T06:00:00+00:00"),
            ("2030-01-01T06:00+02:00", "2030-01-01T04:00:00+00:00"),
            ("2100-01-01T02:00:00+02:00", "2100-01-01T00:00:00+00:00"),
            ("+10m", "2026-03-28T11:10:00+00:00"),
            ("+1h30m", "2026-03-28T12:30:00+00:00"),
            ("+2d", "2026-03-30T11:00:00+00:00"),
        ] {
            assert_eq!(read(text, Toward::Future), at, "{text}");
        }
        for (text, at) in [
            ("10m", "2026-03-28T10:50:00+00:00"),
            ("2h ago", "2026-03-28T09:00:00+00:00"),
            ("-1d", "2026-03-27T11:00:00+00:00"),
            ("yesterday", "2026-03-26T23:00:00+00:00"),
            ("18:30", "2026-03-27T17:30:00+00:00"),
        ] {
            assert_eq!(read(text, Toward::Past), at, "{text}");
        }
    }

    #[test]
    fn anything_else_is_told_what_is_understood() {
        for text in [
            "soon",
            "",
            "+",
            "+m",
            "+10",
            "10m",
            "25:00",
            "2030-13-01",
            "+9999999999w",
        ] {
            let told = parsed(text, &now(), Toward::Future).unwrap_err();
            assert!(told.contains("2030-01-01T06:00"), "{text}");
        }
        assert!(length("soon").is_err() && length("90s").is_ok());
    }
}

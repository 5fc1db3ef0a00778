//! Instants and lengths of time for people: in the machine's zone, the exact one on hover.

use std::sync::LazyLock;

use jiff::ZonedDateTime;
use jiff::tz::TimeZone;

use super::Html;
use crate::domain::time::{Span, Timestamp};

static ZONE: LazyLock<TimeZone> = LazyLock::new(TimeZone::system);

/// An instant in the machine's zone; `None` beyond the calendar.
pub fn zoned(at: Timestamp) -> Option<ZonedDateTime> {
    let at = jiff::Timestamp::from_microsecond(at.micros()).ok()?;
    Some(at.to_zoned_datetime(ZONE.clone()))
}

/// A `time` that says so.
fn time(at: Timestamp, shown: &str) -> Html {
    let Some(zoned) = zoned(at) else {
        return Html::fixed("–");
    };
    let machine = zoned.strftime("%Y-%m-%dT%H:%M:%S.%6f%:z");
    let exact = zoned.strftime("%Y-%m-%d %H:%M:%S.%6f %Z");
    Html::of(format!(
        "<time datetime=\"{machine}\" title=\"{exact}\">{shown}</time>"
    ))
}

/// The time of day, with the day where that is not today.
pub fn when(at: Timestamp, now: Timestamp) -> Html {
    shown(at, now, "%H:%M:%S")
}

/// The same to the minute.
pub fn minute(at: Timestamp, now: Timestamp) -> Html {
    shown(at, now, "%H:%M")
}

fn shown(at: Timestamp, now: Timestamp, clock: &str) -> Html {
    let (Some(then), Some(today)) = (zoned(at), zoned(now)) else {
        return Html::fixed("–");
    };
    let clock = then.strftime(clock);
    let text = if then.date() == today.date() {
        clock.to_string()
    } else if then.year() == today.year() {
        format!("{}, {clock}", then.strftime("%b %-d"))
    } else {
        format!("{}, {clock}", then.strftime("%b %-d, %Y"))
    };
    time(at, &text)
}

/// The time of day to the millisecond.
pub fn exact(at: Timestamp) -> Html {
    let Some(then) = zoned(at) else {
        return Html::fixed("–");
    };
    time(at, &then.strftime("%H:%M:%S.%3f").to_string())
}

/// How far it is from now, such as `in 2 min`.
pub fn apart(at: Timestamp, now: Timestamp) -> Html {
    let text = match (at - now).micros() {
        ahead if ahead > 0 => format!("in {}", coarse(at - now)),
        _ => format!("{} ago", coarse(now - at)),
    };
    time(at, &text)
}

/// A length of time, in its two largest units.
pub fn length(span: Span) -> String {
    let micros = span.micros().max(0);
    let secs = micros / 1_000_000;
    let pair = |large: i64, first: &str, small: i64, second: &str| match small {
        0 => format!("{large} {first}"),
        _ => format!("{large} {first} {small} {second}"),
    };
    match secs {
        0 => format!("{} ms", micros / 1000),
        1..=9 => format!("{:.1} s", micros as f64 / 1e6),
        10..=59 => format!("{secs} s"),
        60..=3599 => pair(secs / 60, "min", secs % 60, "s"),
        3600..=86_399 => pair(secs / 3600, "h", secs % 3600 / 60, "min"),
        _ => pair(secs / 86_400, "d", secs % 86_400 / 3600, "h"),
    }
}

/// A length of time, in its largest unit.
pub fn coarse(span: Span) -> String {
    let secs = span.whole_secs().max(0);
    match secs {
        0..=59 => format!("{secs} s"),
        60..=3599 => format!("{} min", secs / 60),
        3600..=86_399 => format!("{} h", secs / 3600),
        _ => format!("{} d", secs / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_two_units_at_most() {
        for (micros, shown) in [
            (0, "0 ms"),
            (209_400, "209 ms"),
            (2_800_000, "2.8 s"),
            (37_000_000, "37 s"),
            (252_000_000, "4 min 12 s"),
            (240_000_000, "4 min"),
            (11_100_000_000, "3 h 5 min"),
            (1_040_000_000_000, "12 d"),
            (-5, "0 ms"),
        ] {
            assert_eq!(length(Span::from_micros(micros)), shown);
        }
    }

    #[test]
    fn an_instant_beyond_the_calendar_is_a_dash() {
        let never = Timestamp::from_micros(i64::MAX);
        let now = Timestamp::from_micros(0);
        assert_eq!(when(never, now).as_str(), "–");
        let soon = apart(Timestamp::from_micros(130_000_000), now);
        assert!(soon.as_str().contains(">in 2 min<"), "{soon}");
        assert!(apart(now, now).as_str().contains(">0 s ago<"));
    }
}

//! What `tests/fuzz` calls: what holds for the dates of every schedule.

use super::{Cron, Rrule, Schedule};
use crate::domain::time::{Span, Timestamp};

const DAY: Span = Span::from_micros(86_400_000_000);

/// The beginning of 2026, a second before 2000, and one of the year 1, in microseconds.
const FROM: [i64; 3] = [
    1_767_225_600_000_000,
    946_684_799_000_001,
    -62_135_000_000_000_000,
];

/// Asks a cron expression; half of them, by their length, in each of two ways.
pub fn ask_cron(text: &str) {
    let (day_or, zone) = match text.len() % 2 {
        0 => (true, "UTC"),
        _ => (false, "Europe/Berlin"),
    };
    let cron = Cron {
        expression: text.to_owned(),
        timezone: Some(zone.to_owned()),
        day_or,
    };
    ask(&Schedule::Cron(cron), text.len() / 2);
}

/// Asks a recurrence rule.
pub fn ask_rrule(text: &str) {
    let rule = Rrule {
        rule: text.to_owned(),
        timezone: Some("Europe/Berlin".to_owned()),
    };
    ask(&Schedule::Rrule(rule), text.len());
}

/// Asks a schedule that its reader accepts for dates, as the daemon does; `pick` says from when.
fn ask(schedule: &Schedule, pick: usize) {
    if schedule.check().is_err() {
        return;
    }
    let from = FROM.get(pick % FROM.len()).copied().unwrap_or_default();
    let from = Timestamp::from_micros(from);
    let until = from + Span::from_micros(100 * DAY.micros());
    let Ok(dates) = schedule.dates(from, until, 100) else {
        return;
    };
    assert!(dates.len() <= 100);
    assert!(dates.iter().all(|date| *date >= from && *date <= until));
    assert!(dates.is_sorted_by(|one, next| one < next));
    if let Ok(next) = schedule.next(from) {
        assert!(next.is_none_or(|next| next >= from), "{next:?}");
        if let Some(first) = dates.first() {
            assert_eq!(next, Some(*first));
        }
    }
}

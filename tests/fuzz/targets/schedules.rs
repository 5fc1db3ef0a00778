//! What holds for the dates of every schedule.

use prefectd::domain::schedule::Schedule;
use prefectd::domain::time::{Span, Timestamp};

const DAY: Span = Span::from_micros(86_400_000_000);

/// The beginning of 2026, a second before 2000, and one of the year 1, in microseconds.
const FROM: [i64; 3] = [
    1_767_225_600_000_000,
    946_684_799_000_001,
    -62_135_000_000_000_000,
];

/// Asks a schedule that its reader accepts for dates, as the daemon does; `pick` says from when.
pub fn ask(schedule: &Schedule, pick: usize) {
    if schedule.check().is_err() {
        return;
    }
    let from = Timestamp::from_micros(FROM[pick % FROM.len()]);
    let until = from + Span::from_micros(100 * DAY.micros());
    let Ok(dates) = schedule.dates(from, until, 100) else {
        return;
    };
    assert!(dates.len() <= 100);
    assert!(dates.iter().all(|date| *date >= from && *date <= until));
    assert!(dates.windows(2).all(|pair| pair[0] < pair[1]));
    if let Ok(next) = schedule.next(from) {
        assert!(next.is_none_or(|next| next >= from), "{next:?}");
        if let Some(first) = dates.first() {
            assert_eq!(next, Some(*first));
        }
    }
}

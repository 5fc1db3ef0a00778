//! When a deployment runs by itself: every so often, by a cron expression, or by a
//! recurrence rule.
//!
//! Where generations of Prefect disagree about daylight saving time, these follow the newest
//! (Prefect 3 on Python 3.13): a cron time that a day skips is moved forward by the gap, one
//! that a day has twice happens once, the first time.

mod cron;
mod cron_dialect;
mod interval;
mod rrule;
mod zone;

use super::time::Timestamp;

pub use cron::Cron;
pub use interval::Interval;
pub use rrule::Rrule;

/// The most candidates that one question looks at.
const MOST: usize = 1000;

/// When a deployment runs by itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// Every so often.
    Interval(Interval),
    /// By a cron expression.
    Cron(Cron),
    /// By a recurrence rule of RFC 5545.
    Rrule(Rrule),
}

impl Schedule {
    /// Refuses a schedule that cannot be followed, saying why.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Schedule::Interval(interval) => interval.check(),
            Schedule::Cron(cron) => cron.check(),
            Schedule::Rrule(rrule) => rrule.check(),
        }
    }

    /// Up to `limit` dates, strictly increasing, none before `from` and none after `until`.
    /// Empty for a schedule that cannot be followed or has run out.
    pub fn dates(&self, from: Timestamp, until: Timestamp, limit: usize) -> Vec<Timestamp> {
        let found = match self {
            Schedule::Interval(interval) => interval.dates(from, until, limit),
            Schedule::Cron(cron) => cron.dates(from, until, limit),
            Schedule::Rrule(rrule) => rrule.dates(from, until, limit),
        };
        let mut dates: Vec<_> = found.into_iter().filter(|date| *date >= from).collect();
        dates.sort_unstable();
        dates.dedup();
        dates.truncate(limit);
        dates
    }
}

#[cfg(test)]
mod tests;

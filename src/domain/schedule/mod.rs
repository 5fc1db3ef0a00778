//! When a deployment runs by itself: every so often, by a cron expression, or by a
//! recurrence rule.
//!
//! Where generations of Prefect disagree about daylight saving time, these follow the newest
//! (Prefect 3 on Python 3.13): a cron time that a day skips is moved forward by the gap, one
//! that a day has twice happens once, the first time.

mod ahead;
mod budget;
mod cron;
mod cron_dialect;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod interval;
mod rrule;
mod zone;

use super::time::Timestamp;

pub use ahead::Ahead;
use budget::Budget;
pub use budget::TooCostly;
pub use cron::Cron;
pub use interval::Interval;
pub use rrule::Rrule;

/// The last instant that every client can read: the end of the year 9999.
const LAST: Timestamp = Timestamp::from_micros(253_402_300_799_999_999);

/// The first such: the beginning of the year 1.
const FIRST: Timestamp = Timestamp::from_micros(-62_135_596_800_000_000);

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
    /// Its kind, by the modern API's word.
    pub const fn kind(&self) -> &'static str {
        match self {
            Schedule::Interval(_) => "IntervalSchedule",
            Schedule::Cron(_) => "CronSchedule",
            Schedule::Rrule(_) => "RRuleSchedule",
        }
    }

    /// Refuses a schedule that cannot be followed, saying why.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Schedule::Interval(interval) => interval.check(),
            Schedule::Cron(cron) => cron.check(),
            Schedule::Rrule(rrule) => rrule.check(),
        }
    }

    /// Up to `limit` dates, strictly increasing, none before `from` and none after `until`.
    /// Empty for a schedule that cannot be followed or has run out. The work is bounded;
    /// [`TooCostly`] for a schedule that needs more.
    pub fn dates(
        &self,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Timestamp>, TooCostly> {
        let mut budget = Budget::whole();
        let (from, until) = (from.max(FIRST), until.min(LAST));
        let mut dates = match self {
            Schedule::Interval(interval) => interval.dates(from, until, limit, &mut budget),
            Schedule::Cron(cron) => cron.dates(from, until, limit, &mut budget),
            Schedule::Rrule(rrule) => rrule.dates(from, until, limit, &mut budget),
        }?;
        dates.retain(|date| *date >= from && *date <= until);
        dates.sort_unstable();
        dates.dedup();
        dates.truncate(limit);
        Ok(dates)
    }

    /// The first date from `from` on, however far; `None` when there is none left.
    pub fn next(&self, from: Timestamp) -> Result<Option<Timestamp>, TooCostly> {
        Ok(self.dates(from, LAST, 1)?.first().copied())
    }
}

#[cfg(test)]
mod tests;

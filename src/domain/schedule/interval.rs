//! Every so often, counted from an anchor.

use chrono::{Days, NaiveDate};
use jiff::tz::TimeZone;

use super::budget::{Budget, TooCostly};
use super::zone;
use crate::domain::time::{Span, Timestamp};

const DAY: i64 = 86_400 * 1_000_000;

/// What one date counts for.
const DATE_STEPS: u64 = 20;

/// Every so often. Whole days keep the wall clock's reading over changes of daylight saving, but
/// for a time that one of them skips, which stays moved; what is beyond them is exact.
#[derive(Clone, Debug, PartialEq)]
pub struct Interval {
    /// How often.
    pub every: Span,
    /// The zone whose wall clock counts for whole days; absent: UTC.
    pub timezone: Option<String>,
    /// From when it is counted.
    pub anchor: Timestamp,
    /// The anchor's offset from UTC in seconds, where a client gave one.
    pub anchor_offset_secs: i32,
}

impl Interval {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.every.micros() <= 0 {
            return Err("The interval must be positive".to_owned());
        }
        zone::named(self.timezone.as_deref()).map(drop)
    }

    pub(super) fn dates(
        &self,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
        budget: &mut Budget,
    ) -> Result<Vec<Timestamp>, TooCostly> {
        let Ok(zone) = self.zone() else {
            return Ok(Vec::new());
        };
        if self.every.micros() <= 0 {
            return Ok(Vec::new());
        }
        let mut walk = Walk::new(self, zone);
        let mut next = walk.first(from, budget)?;
        let mut dates = Vec::new();
        while let Some(date) = next.filter(|date| *date <= until && dates.len() < limit) {
            budget.spend(DATE_STEPS)?;
            if date >= from {
                dates.push(date);
            }
            next = walk.after(date);
        }
        Ok(dates)
    }

    fn zone(&self) -> Result<TimeZone, String> {
        if self.timezone.is_none() && self.anchor_offset_secs != 0 {
            let offset = jiff::tz::Offset::from_seconds(self.anchor_offset_secs);
            return offset
                .map(TimeZone::fixed)
                .map_err(|error| error.to_string());
        }
        zone::named(self.timezone.as_deref())
    }
}

/// A walk from date to date, as the reference's on Python 3.13 and newer.
struct Walk {
    zone: TimeZone,
    anchor: Timestamp,
    every: Span,
    /// Whole days of the step, by the wall clock, and what is beyond them.
    days: i64,
    rest: Span,
    /// How many steps from the anchor a date is that lies before it; whole days are counted
    /// from the anchor there, for a skipped time would be kept on the way to it.
    steps: i64,
}

impl Walk {
    fn new(interval: &Interval, zone: TimeZone) -> Self {
        let every = interval.every;
        Self {
            zone,
            anchor: interval.anchor,
            every,
            days: every.micros() / DAY,
            rest: Span::from_micros(every.micros() % DAY),
            steps: 0,
        }
    }

    /// Whether a step is nothing but days.
    fn is_by_days(&self) -> bool {
        self.days != 0 && self.rest.micros() == 0
    }

    /// A date from which `from` is reached by steps, not after it.
    fn first(
        &mut self,
        from: Timestamp,
        budget: &mut Budget,
    ) -> Result<Option<Timestamp>, TooCostly> {
        if from >= self.anchor && self.is_by_days() {
            return self.sought(from, budget);
        }
        // As many steps as fit, cut towards the anchor, and back where that goes too far.
        self.steps = (from - self.anchor).micros() / self.every.micros();
        let mut next = self.jump();
        while let Some(date) = next.filter(|date| *date > from) {
            budget.spend(DATE_STEPS)?;
            self.steps -= 1;
            next = self.jump().filter(|before| *before < date);
        }
        while let Some(date) = next.filter(|date| *date < from) {
            budget.spend(DATE_STEPS)?;
            next = self.after(date);
        }
        Ok(next)
    }

    /// The date that day after day from the anchor leads to. A time that one day skips stays
    /// moved from there on, so each change of the zone's is walked over; between them it jumps.
    fn sought(&self, from: Timestamp, budget: &mut Budget) -> Result<Option<Timestamp>, TooCostly> {
        let mut current = self.anchor;
        while current < from {
            budget.spend(DATE_STEPS)?;
            let change = zone::next_change(current, &self.zone);
            let until = change.filter(|change| *change < from).unwrap_or(from);
            let (Some(here), Some(there)) = (self.day(current), self.day(until)) else {
                return Ok(None);
            };
            let steps = ((there - here).num_days() / self.days - 1).max(1);
            let Some(next) = self.days_on(current, steps.saturating_mul(self.days)) else {
                return Ok(None);
            };
            current = next;
        }
        Ok(Some(current))
    }

    /// The day of the wall clock.
    fn day(&self, at: Timestamp) -> Option<NaiveDate> {
        zone::wall_clock(at, &self.zone).map(|reading| reading.date())
    }

    /// The date that is so many steps from the anchor, at once.
    fn jump(&self) -> Option<Timestamp> {
        match self.is_by_days() {
            true => self.days_on(self.anchor, self.days.checked_mul(self.steps)?),
            false => {
                let by = self.every.micros().checked_mul(self.steps)?;
                Some(self.anchor + Span::from_micros(by))
            }
        }
    }

    /// The date after one.
    fn after(&mut self, date: Timestamp) -> Option<Timestamp> {
        if self.is_by_days() && self.steps < 0 {
            self.steps += 1;
            return self.jump();
        }
        match self.days {
            0 => Some(date + self.rest),
            days => Some(self.days_on(date, days)? + self.rest),
        }
    }

    /// So many days on, or back, by the wall clock.
    fn days_on(&self, from: Timestamp, days: i64) -> Option<Timestamp> {
        let reading = zone::wall_clock(from, &self.zone)?;
        let by = Days::new(days.unsigned_abs());
        let reading = match days < 0 {
            true => reading.checked_sub_days(by)?,
            false => reading.checked_add_days(by)?,
        };
        zone::instant_seen_from(from, reading, &self.zone)
    }
}

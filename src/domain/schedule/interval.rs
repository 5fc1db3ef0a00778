//! Every so often, counted from an anchor.

use chrono::{Days, TimeDelta};
use jiff::tz::TimeZone;

use super::budget::{Budget, TooCostly};
use super::zone::{self, Gap};
use crate::domain::time::{Span, Timestamp};

const DAY: i64 = 86_400 * 1_000_000;

/// What one date counts for.
const DATE_STEPS: u64 = 20;

/// Every so often. Whole days keep the wall clock's reading over changes of daylight saving;
/// what is beyond them is exact.
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
        let every = self.every.micros();
        if every <= 0 {
            return Ok(Vec::new());
        }
        // As many steps as fit, cut towards the anchor, as the reference does.
        let steps = (from - self.anchor).micros() / every;
        let jump = Span::from_micros(steps.saturating_mul(every));
        let mut next = self.step(self.anchor, jump, &zone, true);
        let mut dates = Vec::new();
        while let Some(date) = next.filter(|date| *date <= until && dates.len() < limit) {
            budget.spend(DATE_STEPS)?;
            if date >= from {
                dates.push(date);
            }
            next = self.step(date, self.every, &zone, false);
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

    /// One step on. The jump from the anchor is exact; each further step takes whole days by
    /// the wall clock and the rest exactly.
    fn step(&self, from: Timestamp, by: Span, zone: &TimeZone, exact: bool) -> Option<Timestamp> {
        if exact {
            return Some(from + by);
        }
        let days = by.micros() / DAY;
        let rest = Span::from_micros(by.micros() % DAY);
        if days == 0 {
            return Some(from + rest);
        }
        let days = Days::new(days.unsigned_abs());
        let reading = zone::wall_clock(from, zone)?.checked_add_days(days)?;
        let reading = reading.checked_add_signed(TimeDelta::microseconds(rest.micros()))?;
        zone::instant(reading, zone, Gap::Forward)
    }
}

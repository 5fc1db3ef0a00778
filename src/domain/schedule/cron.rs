//! By a cron expression in the dialect of Prefect's own library.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDateTime, TimeDelta};
use croner::Cron as Pattern;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;

use super::budget::{Budget, TooCostly};
use super::cron_dialect;
use super::zone::{self, Gap};
use crate::domain::time::Timestamp;

/// The years that one search looks at; an expression without a date in so many has none, as in
/// Prefect's own library.
const YEARS: i32 = 50;

/// The last year that there is.
const LAST_YEAR: i32 = 9999;

/// What a search through one of them counts for: a few steps for each of its days.
const YEAR_STEPS: u64 = 2000;

/// What the finding of one date counts for beside.
const DATE_STEPS: u64 = 100;

/// By a cron expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Cron {
    /// Five fields; a sixth means seconds, a seventh years.
    pub expression: String,
    /// The zone whose wall clock it reads; absent: UTC.
    pub timezone: Option<String>,
    /// Whether a day of the month *or* a day of the week is enough, as in cron; else both
    /// are asked for.
    pub day_or: bool,
}

impl Cron {
    pub(super) fn check(&self) -> Result<(), String> {
        zone::named(self.timezone.as_deref())?;
        self.pattern(None).map(drop)
    }

    pub(super) fn dates(
        &self,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
        budget: &mut Budget,
    ) -> Result<Vec<Timestamp>, TooCostly> {
        let mut dates = BTreeSet::new();
        let Ok(zone) = zone::named(self.timezone.as_deref()) else {
            return Ok(Vec::new());
        };
        let Some(first) = zone::wall_clock(from, &zone) else {
            return Ok(Vec::new());
        };
        // The last hours of all have no reading.
        let last = zone::wall_clock(until, &zone).map_or(LAST_YEAR, |last| last.year());
        // The search is for what comes after, so that the start itself counts. It runs on
        // the wall clock; croner's own search in zones decides gaps otherwise.
        let mut reading = first - TimeDelta::seconds(1);
        let mut found = true;
        let shifted = self.shifted(from, first, &zone, limit, budget)?;
        // Year after year, since a search has no end of its own that is near enough.
        for year in (reading.year()..=last).step_by(YEARS as usize) {
            let end = last.min(year + YEARS - 1);
            let Ok(pattern) = self.pattern(Some((year, end))) else {
                break;
            };
            budget.spend(u64::from((end - year).unsigned_abs() + 1) * YEAR_STEPS)?;
            if !std::mem::take(&mut found) {
                break;
            }
            while let Ok(next) = pattern.find_next_occurrence(&reading, false) {
                budget.spend(DATE_STEPS)?;
                reading = next;
                found = true;
                let date = zone::instant(next, &zone, Gap::Forward);
                let Some(date) = date.filter(|date| *date <= until && dates.len() < limit) else {
                    return Ok(dates.into_iter().chain(shifted).collect());
                };
                if date >= from {
                    dates.insert(date);
                }
            }
        }
        Ok(dates.into_iter().chain(shifted).collect())
    }

    /// The first dates from `from` on that a gap just before it has moved there. The search by the
    /// wall clock, which reads `first`, is past them.
    fn shifted(
        &self,
        from: Timestamp,
        first: NaiveDateTime,
        zone: &TimeZone,
        limit: usize,
        budget: &mut Budget,
    ) -> Result<Vec<Timestamp>, TooCostly> {
        let mut dates = Vec::new();
        let Some(gap) = zone::gap_before(from, zone) else {
            return Ok(dates);
        };
        let mut reading = first - gap.length - TimeDelta::seconds(1);
        let Ok(pattern) = self.pattern(Some((reading.year(), gap.end.year()))) else {
            return Ok(dates);
        };
        while let Ok(next) = pattern.find_next_occurrence(&reading, false) {
            budget.spend(DATE_STEPS)?;
            reading = next;
            if next >= gap.end || dates.len() >= limit {
                break;
            }
            let date = zone::instant(next, zone, Gap::Forward);
            dates.extend(date.filter(|date| *date >= from));
        }
        Ok(dates)
    }

    /// What is looked for; where the expression names no year, only within `years`, the first
    /// and the last.
    fn pattern(&self, years: Option<(i32, i32)>) -> Result<Pattern, String> {
        let shown: String = self.expression.chars().take(200).collect();
        let invalid = || format!("Invalid cron string: \"{shown}\"");
        let normal = cron_dialect::normal(&self.expression).ok_or_else(invalid)?;
        let normal = match (normal.strip_suffix(" *"), years) {
            (Some(rest), Some((first, end))) => format!("{rest} {first}-{end}"),
            _ => normal,
        };
        CronParser::builder()
            .seconds(Seconds::Optional)
            .year(Year::Optional)
            .dom_and_dow(!self.day_or)
            .build()
            .parse(&normal)
            .map_err(|_| invalid())
    }
}

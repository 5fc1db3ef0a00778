//! By a cron expression in the dialect of Prefect's own library.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use croner::Cron as Pattern;
use croner::parser::{CronParser, Seconds, Year};

use super::zone::{self, Gap};
use super::{MOST, cron_dialect};
use crate::domain::time::Timestamp;

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
        self.pattern().map(drop)
    }

    pub(super) fn dates(&self, from: Timestamp, until: Timestamp, limit: usize) -> Vec<Timestamp> {
        let Ok(zone) = zone::named(self.timezone.as_deref()) else {
            return Vec::new();
        };
        let (Ok(pattern), Some(reading)) = (self.pattern(), zone::wall_clock(from, &zone)) else {
            return Vec::new();
        };
        // The search is for what comes after, so that the start itself counts. It runs on
        // the wall clock; croner's own search in zones decides gaps otherwise.
        let mut reading = reading - TimeDelta::seconds(1);
        let mut dates = BTreeSet::new();
        for _ in 0..MOST.max(limit) {
            let Ok(next) = pattern.find_next_occurrence(&reading, false) else {
                break;
            };
            reading = next;
            let Some(date) = zone::instant(next, &zone, Gap::Forward) else {
                break;
            };
            if date > until || dates.len() == limit {
                break;
            }
            if date >= from {
                dates.insert(date);
            }
        }
        dates.into_iter().collect()
    }

    fn pattern(&self) -> Result<Pattern, String> {
        let invalid = || format!("Invalid cron string: \"{}\"", self.expression);
        let normal = cron_dialect::normal(&self.expression).ok_or_else(invalid)?;
        CronParser::builder()
            .seconds(Seconds::Optional)
            .year(Year::Optional)
            .dom_and_dow(!self.day_or)
            .build()
            .parse(&normal)
            .map_err(|_| invalid())
    }
}

//! By a recurrence rule of RFC 5545, as Prefect's own library (dateutil) understands it.
//!
//! The rule is expanded on the wall clock, and each reading is then resolved in the zone.

mod read;
mod reading;
mod rule;
mod set;
mod walk;
mod year;

use std::collections::BTreeSet;

use super::budget::{Budget, TooCostly};
use super::zone::{self, Gap};
use crate::domain::time::Timestamp;
use reading::Reading;

/// What the resolving of a reading in a zone counts for.
const ZONE_STEPS: u64 = 10;

/// How far, in seconds, a zone's change may move a reading.
const CHANGE: i64 = 3 * 86_400;

/// By a recurrence rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rrule {
    /// The rule, with or without `DTSTART`.
    pub rule: String,
    /// The zone whose wall clock it reads; absent: UTC.
    pub timezone: Option<String>,
}

impl Rrule {
    pub(super) fn check(&self) -> Result<(), String> {
        zone::named(self.timezone.as_deref())?;
        self.set().map(drop)
    }

    pub(super) fn dates(
        &self,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
        budget: &mut Budget,
    ) -> Result<Vec<Timestamp>, TooCostly> {
        let mut dates = BTreeSet::new();
        let (Ok(zone), Ok(set)) = (zone::named(self.timezone.as_deref()), self.set()) else {
            return Ok(Vec::new());
        };
        let Some(first) = zone::wall_clock(from, &zone).map(Reading::from_or_after) else {
            return Ok(Vec::new());
        };
        let last = zone::wall_clock(until, &zone).map(Reading::from_or_after);
        let last = last.map_or(Reading::LAST, |last| Reading(last.0.saturating_add(CHANGE)));
        let mut coming = set.dates(first, last);
        while dates.len() < limit {
            budget.spend(ZONE_STEPS)?;
            let next = coming.next(budget)?.and_then(Reading::clock);
            let Some(date) = next.and_then(|next| zone::instant(next, &zone, Gap::Backward)) else {
                break;
            };
            if date > until {
                break;
            }
            if date >= from {
                dates.insert(date);
            }
        }
        Ok(dates.into_iter().collect())
    }

    fn set(&self) -> Result<set::RuleSet, String> {
        read::read(&self.rule).map_err(|why| {
            let rule: String = self.rule.chars().take(200).collect();
            format!("Invalid RRule string: \"{rule}\" ({why})")
        })
    }
}

//! By a recurrence rule of RFC 5545.
//!
//! The rule is expanded as if the wall clock were UTC, and each reading is then resolved in
//! the zone, as Prefect's own library does.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};
use rrule::{Frequency, RRuleSet, Tz};

use super::MOST;
use super::zone::{self, Gap};
use crate::domain::time::Timestamp;

/// The start of a rule that names none.
const DEFAULT_START: &str = "DTSTART:20200101T000000Z";

/// The most dates before the first wanted one that are walked over.
const MOST_PAST: usize = 100_000;

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

    pub(super) fn dates(&self, from: Timestamp, until: Timestamp, limit: usize) -> Vec<Timestamp> {
        let Ok(zone) = zone::named(self.timezone.as_deref()) else {
            return Vec::new();
        };
        let (Ok(set), Some(reading)) = (self.set(), zone::wall_clock(from, &zone)) else {
            return Vec::new();
        };
        // A reading that a day has twice may lie an hour or so back.
        let early = Utc.from_utc_datetime(&(reading - TimeDelta::hours(3)));
        let set = nearer(set, early);
        let past = set.into_iter().take(MOST_PAST);
        let coming = past.skip_while(|date| *date < early);
        let mut dates = BTreeSet::new();
        for next in coming.take(MOST.max(limit)) {
            let Some(date) = zone::instant(next.naive_utc(), &zone, Gap::Backward) else {
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

    fn set(&self) -> Result<RRuleSet, String> {
        let invalid = |why: &str| format!("Invalid RRule string: \"{}\" ({why})", self.rule);
        let text = in_utc(&self.rule);
        if let Some(why) = unsupported(&text).or_else(|| mixed_until(&self.rule)) {
            return Err(invalid(why));
        }
        let set: RRuleSet = text.parse().map_err(|_| invalid("it cannot be read"))?;
        match set.get_rrule().is_empty() {
            true => Err(invalid("it has no rule")),
            false => Ok(set),
        }
    }
}

/// The same rule begun later, but before `early`, so that years of dates need not be walked.
/// Only for rules whose every step is of one length and which do not count their dates.
fn nearer(set: RRuleSet, early: DateTime<Utc>) -> RRuleSet {
    let start = *set.get_dt_start();
    let [rule] = set.get_rrule().as_slice() else {
        return set;
    };
    let unit = match rule.get_freq() {
        Frequency::Daily => TimeDelta::days(1),
        Frequency::Hourly => TimeDelta::hours(1),
        Frequency::Minutely => TimeDelta::minutes(1),
        Frequency::Secondly => TimeDelta::seconds(1),
        _ => return set,
    };
    let counted = rule.get_count().is_some() || !set.get_exrule().is_empty();
    let step = unit * i32::from(rule.get_interval());
    let steps = (early.with_timezone(&Tz::UTC) - start).num_seconds() / step.num_seconds().max(1);
    if counted || steps < 2 {
        return set;
    }
    let jump = TimeDelta::seconds((steps - 1).saturating_mul(step.num_seconds()));
    let later = format!("DTSTART:{}", (start + jump).format("%Y%m%dT%H%M%SZ"));
    let text = set.to_string();
    let rest = text.lines().skip(1);
    let moved = std::iter::once(later.as_str()).chain(rest);
    let moved = moved.collect::<Vec<_>>().join("\n");
    // What was read once and only begins later can be read again; if not, the walk is long.
    moved.parse().unwrap_or(set)
}

/// The rule on lines of its own, all its instants marked as UTC.
fn in_utc(rule: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for part in rule.split_whitespace() {
        let part = part.to_uppercase();
        let line = match part.split_once(':') {
            Some((name, dates)) if name.starts_with("DTSTART") || name.ends_with("DATE") => {
                let dates: Vec<_> = dates.split(',').map(marked).collect();
                let name = name.split(';').next().unwrap_or_default();
                format!("{name}:{}", dates.join(","))
            }
            Some((name, rule)) => format!("{name}:{}", until_in_utc(rule)),
            None => format!("RRULE:{}", until_in_utc(&part)),
        };
        lines.push(line);
    }
    if !lines.iter().any(|line| line.starts_with("DTSTART")) {
        lines.insert(0, DEFAULT_START.to_owned());
    }
    lines.join("\n")
}

fn until_in_utc(rule: &str) -> String {
    let parts = rule
        .split(';')
        .map(|part| match part.strip_prefix("UNTIL=") {
            Some(date) => format!("UNTIL={}", marked(date)),
            None => part.to_owned(),
        });
    parts.collect::<Vec<_>>().join(";")
}

/// A date with the mark of UTC; one without a time means midnight.
fn marked(date: &str) -> String {
    match (date.ends_with('Z'), date.contains('T')) {
        (true, _) => date.to_owned(),
        (false, true) => format!("{date}Z"),
        (false, false) => format!("{date}T000000Z"),
    }
}

/// The end and the start must both be in UTC, or neither.
fn mixed_until(rule: &str) -> Option<&'static str> {
    let upper = rule.to_uppercase();
    let value = |name: &str| {
        let (_, rest) = upper.split_once(name)?;
        rest.split([';', '\n', ' ']).next()
    };
    let in_utc = |date: &str| date.ends_with('Z');
    let until = value("UNTIL=").map(in_utc)?;
    let start = value("DTSTART:").is_some_and(in_utc);
    (until != start).then_some("UNTIL and DTSTART must both end in Z, or neither")
}

/// What is refused although it could be read: what Prefect's library refuses, and what
/// makes it hang or err.
fn unsupported(text: &str) -> Option<&'static str> {
    let rules = text.lines().filter_map(|line| line.strip_prefix("RRULE:"));
    for rule in rules {
        let value = |name: &str| {
            rule.split(';')
                .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
        };
        let frequency = value("FREQ")?;
        let ordinals =
            value("BYDAY").is_some_and(|days| days.contains(|c: char| c.is_ascii_digit()));
        if value("INTERVAL") == Some("0") {
            return Some("INTERVAL must not be 0");
        }
        if value("BYEASTER").is_some() {
            return Some("BYEASTER is not supported");
        }
        if ordinals && frequency == "WEEKLY" {
            return Some("weekdays have no number within a week");
        }
        let zero = value("BYMONTHDAY").is_some_and(|days| days.split(',').any(|day| day == "0"));
        if zero {
            return Some("a month has no day 0");
        }
        if value("BYWEEKNO").is_some() && frequency != "YEARLY" {
            return Some("BYWEEKNO goes with YEARLY only");
        }
        if value("BYYEARDAY").is_some() && frequency == "MONTHLY" {
            return Some("BYYEARDAY does not go with MONTHLY");
        }
    }
    None
}

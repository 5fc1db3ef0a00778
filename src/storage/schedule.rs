//! How a schedule sits in its column: JSON with a key that says its kind.

use serde::{Deserialize, Serialize};

use crate::domain::schedule::{Cron, Interval, Rrule, Schedule};
use crate::domain::time::{Span, Timestamp};

/// A schedule in its column; lengths and instants are microseconds.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Stored {
    Interval {
        every: i64,
        timezone: Option<String>,
        anchor: i64,
        #[serde(default)]
        anchor_offset_secs: i32,
    },
    Cron {
        expression: String,
        timezone: Option<String>,
        day_or: bool,
    },
    Rrule {
        rule: String,
        timezone: Option<String>,
    },
}

impl From<&Schedule> for Stored {
    fn from(schedule: &Schedule) -> Self {
        match schedule.clone() {
            Schedule::Interval(it) => Self::Interval {
                every: it.every.micros(),
                timezone: it.timezone,
                anchor: it.anchor.micros(),
                anchor_offset_secs: it.anchor_offset_secs,
            },
            Schedule::Cron(it) => Self::Cron {
                expression: it.expression,
                timezone: it.timezone,
                day_or: it.day_or,
            },
            Schedule::Rrule(it) => Self::Rrule {
                rule: it.rule,
                timezone: it.timezone,
            },
        }
    }
}

impl From<Stored> for Schedule {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::Interval {
                every,
                timezone,
                anchor,
                anchor_offset_secs,
            } => Self::Interval(Interval {
                every: Span::from_micros(every),
                timezone,
                anchor: Timestamp::from_micros(anchor),
                anchor_offset_secs,
            }),
            Stored::Cron {
                expression,
                timezone,
                day_or,
            } => Self::Cron(Cron {
                expression,
                timezone,
                day_or,
            }),
            Stored::Rrule { rule, timezone } => Self::Rrule(Rrule { rule, timezone }),
        }
    }
}

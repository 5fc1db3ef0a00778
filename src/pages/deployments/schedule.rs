//! Schedules, in words.

use crate::domain::schedule::Schedule;
use crate::pages::show::{Html, short, times};

/// When a schedule has runs.
pub fn rule(schedule: &Schedule) -> Html {
    let zone = match schedule {
        Schedule::Cron(it) => &it.timezone,
        Schedule::Interval(it) => &it.timezone,
        Schedule::Rrule(it) => &it.timezone,
    };
    let rule = match schedule {
        Schedule::Cron(it) => short(&it.expression).to_string(),
        Schedule::Interval(it) => format!("every {}", times::length(it.every)),
        Schedule::Rrule(it) => short(it.rule.trim().lines().last().unwrap_or_default()).to_string(),
    };
    let zone = short(zone.as_deref().unwrap_or("UTC"));
    Html::of(format!(
        "<code>{rule}</code> <span class=\"small muted\">{zone}</span>"
    ))
}

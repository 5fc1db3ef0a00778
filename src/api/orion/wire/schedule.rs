//! Schedules on the wire: three shapes, told apart by trying each.

use chrono::{DateTime, FixedOffset, SecondsFormat, TimeZone as _, Utc};
use serde_json::{Value, json};

use super::super::read::{Fields, JsonValue, ReadContext, boolean, duration, string, timestamp};
use crate::domain::schedule::{Cron, Interval, Rrule, Schedule};
use crate::domain::time::Timestamp;

/// 2020-01-01T00:00:00Z, from which intervals are counted unless a client says otherwise.
const ANCHOR: Timestamp = Timestamp::from_micros(1_577_836_800_000_000);

/// A schedule as that server writes it.
pub fn schedule_out(schedule: &Schedule) -> Value {
    match schedule {
        Schedule::Interval(it) => json!({
            "interval": it.every.as_secs_f64(),
            "timezone": it.timezone,
            "anchor_date": anchor(it),
        }),
        Schedule::Cron(it) => json!({
            "cron": it.expression,
            "timezone": it.timezone,
            "day_or": it.day_or,
        }),
        Schedule::Rrule(it) => json!({ "rrule": it.rule, "timezone": it.timezone }),
    }
}

fn anchor(interval: &Interval) -> String {
    let at = interval.anchor.utc().unwrap_or(DateTime::<Utc>::MAX_UTC);
    let zone = FixedOffset::east_opt(interval.anchor_offset_secs);
    match zone {
        Some(zone) => zone
            .from_utc_datetime(&at.naive_utc())
            .to_rfc3339_opts(SecondsFormat::AutoSi, false),
        None => at.to_rfc3339_opts(SecondsFormat::AutoSi, false),
    }
}

/// Tries the three shapes in that server's order; when none fits, the faults of all are told.
pub fn schedule(value: &JsonValue<'_>, context: &mut ReadContext) -> Option<Schedule> {
    let shapes: [fn(&JsonValue<'_>, &mut ReadContext) -> Option<Schedule>; 3] =
        [interval, cron, rrule];
    let mut faults = Vec::new();
    for shape in shapes {
        let mut trial = context.trial();
        match shape(value, &mut trial) {
            Some(schedule) if trial.is_clean() => return Some(schedule),
            _ => faults.extend(trial.into_issues()),
        }
    }
    context.adopt(faults);
    None
}

fn interval(value: &JsonValue<'_>, context: &mut ReadContext) -> Option<Schedule> {
    let mut fields = Fields::of(value, context)?;
    let every = fields.required("interval", |value, context| {
        let every = duration(value, context)?;
        match every.micros() > 0 {
            true => Some(every),
            false => context.fault("The interval must be positive", "value_error"),
        }
    });
    let timezone = fields.optional("timezone", zone);
    let zoned = timezone.as_ref().is_some_and(Option::is_some);
    let anchor = fields.optional("anchor_date", |value, context| {
        if zoned {
            let msg = "Specify an anchor date or a timezone, but not both.";
            return context.fault(msg, "value_error");
        }
        Some((timestamp(value, context)?, offset(value)))
    });
    fields.finish();
    let timezone = timezone?;
    let (anchor, anchor_offset_secs) = match anchor? {
        Some(given) => given,
        None => default_anchor(timezone.as_deref()),
    };
    Some(Schedule::Interval(Interval {
        every: every?,
        timezone,
        anchor,
        anchor_offset_secs,
    }))
}

/// The first moment of 2020 by the zone's own clock.
fn default_anchor(timezone: Option<&str>) -> (Timestamp, i32) {
    let zone = timezone.and_then(|name| jiff::tz::TimeZone::get(name).ok());
    let offset = zone.and_then(|zone| {
        let instant = jiff::Timestamp::from_microsecond(ANCHOR.micros()).ok()?;
        Some(zone.to_offset(instant).seconds())
    });
    let offset = offset.unwrap_or(0);
    let shift = crate::domain::time::Span::from_micros(i64::from(offset) * 1_000_000);
    (ANCHOR - shift, offset)
}

/// The offset that an instant was written with, in seconds.
fn offset(value: &JsonValue<'_>) -> i32 {
    let text = value.as_str().unwrap_or_default();
    DateTime::parse_from_rfc3339(text).map_or(0, |at| at.offset().local_minus_utc())
}

fn cron(value: &JsonValue<'_>, context: &mut ReadContext) -> Option<Schedule> {
    let mut fields = Fields::of(value, context)?;
    let expression = fields.required("cron", |value, context| {
        let expression = string(value, context)?;
        let alone = Schedule::Cron(Cron {
            expression: expression.clone(),
            timezone: None,
            day_or: true,
        });
        followable(expression, &alone, context)
    });
    let timezone = fields.optional("timezone", zone);
    let day_or = fields.default("day_or", boolean, || true);
    fields.finish();
    Some(Schedule::Cron(Cron {
        expression: expression?,
        timezone: timezone?,
        day_or: day_or?,
    }))
}

fn rrule(value: &JsonValue<'_>, context: &mut ReadContext) -> Option<Schedule> {
    let mut fields = Fields::of(value, context)?;
    let rule = fields.required("rrule", |value, context| {
        let rule = string(value, context)?;
        let alone = Schedule::Rrule(Rrule {
            rule: rule.clone(),
            timezone: None,
        });
        followable(rule, &alone, context)
    });
    let timezone = fields.optional("timezone", zone);
    fields.finish();
    Some(Schedule::Rrule(Rrule {
        rule: rule?,
        timezone: timezone?.or_else(|| Some("UTC".to_owned())),
    }))
}

fn zone(value: &JsonValue<'_>, context: &mut ReadContext) -> Option<String> {
    let name = string(value, context)?;
    let probe = Schedule::Rrule(Rrule {
        rule: "FREQ=DAILY".to_owned(),
        timezone: Some(name.clone()),
    });
    followable(name, &probe, context)
}

/// The text, unless the schedule made of it cannot be followed.
fn followable(text: String, schedule: &Schedule, context: &mut ReadContext) -> Option<String> {
    match schedule.check() {
        Ok(()) => Some(text),
        Err(why) => context.fault(why, "value_error"),
    }
}

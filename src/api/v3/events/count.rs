//! How many events there are: by name, by resource, or over time.

use axum::extract::{Path, State};
use chrono::SecondsFormat;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::filter::EventFilter;
use crate::api::access::Requester;
use crate::api::redaction::{Reader, Redact};
use crate::api::v3::extract::Body;
use crate::api::v3::wire::Instant;
use crate::api::v3::{Answer, ok};
use crate::api::{Ctx, Operation};
use crate::domain::access::Need;
use crate::domain::error::{Error, Result};
use crate::domain::event::{self, Countable};
use crate::domain::history::Buckets;
use crate::domain::time::{Span, Timestamp};

/// The most things that are told apart.
const MOST_THINGS: u64 = 1000;
/// The most parts that a span of time is parted into, as on the reference.
const MOST_PARTS: i64 = 1000;
/// The shortest part, in units.
const SHORTEST: f64 = 0.01;
/// Where the reference begins to part time: 2024-04-01, a Monday, in microseconds.
const PIVOT: i64 = 1_711_929_600 * 1_000_000;

/// What there is to ask.
pub fn operation() -> Operation {
    Operation::post(
        "/events/count-by/{countable}",
        "Counts events by day, time, event or resource",
    )
    .asks::<CountQuery>()
    .lists::<EventCount>()
    .needs(Need::Read, count)
}

/// Which events are counted, and how time is parted.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CountQuery {
    /// Which.
    filter: EventFilter,
    /// Where they are counted by `time`.
    #[serde(default)]
    time_unit: TimeUnit,
    /// How many units a part is long, from 0.01.
    #[serde(default = "one")]
    time_interval: f64,
}

fn one() -> f64 {
    1.0
}

/// A unit of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TimeUnit {
    /// Seven days.
    Week,
    /// A day.
    #[default]
    Day,
    /// An hour.
    Hour,
    /// A minute.
    Minute,
    /// A second.
    Second,
}

impl TimeUnit {
    fn micros(self) -> i64 {
        let secs = match self {
            Self::Week => 604_800,
            Self::Day => 86_400,
            Self::Hour => 3_600,
            Self::Minute => 60,
            Self::Second => 1,
        };
        secs * 1_000_000
    }
}

/// How many events there are of something.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventCount {
    value: String,
    label: String,
    count: u64,
    start_time: Instant,
    end_time: Instant,
}

impl Redact for EventCount {
    fn redact(&mut self, reader: &Reader<'_>) {
        let Self {
            value,
            label,
            count: _,
            start_time: _,
            end_time: _,
        } = self;
        let mask = reader.of_nobody();
        mask.over(value);
        mask.over(label);
    }
}

impl From<event::Tally> for EventCount {
    fn from(tally: event::Tally) -> Self {
        let event::Tally {
            value,
            label,
            count,
            first,
            last,
        } = tally;
        Self {
            value,
            label,
            count,
            start_time: first.into(),
            end_time: last.into(),
        }
    }
}

/// The parts of a span of time, which lie where the reference has them. What is to come has none,
/// beyond the unit that it is.
fn parts(
    since: Timestamp,
    until: Timestamp,
    now: Timestamp,
    asked: (TimeUnit, f64),
) -> Result<Buckets> {
    let (unit, interval) = asked;
    if !(SHORTEST..=1e6).contains(&interval) {
        return Err(Error::invalid("The minimum interval is 0.01"));
    }
    // Of a hundredth of a second at least, and of 19,000 years at most.
    let step = (unit.micros() as f64 * interval) as i64;
    let length = (until - since).micros();
    let number = length.div_euclid(step) + i64::from(length.rem_euclid(step) > 0);
    if number > MOST_PARTS {
        return Err(Error::invalid(format!(
            "The given interval would create {number} buckets, which is too many. Please increase \
             the interval or reduce the time range to produce {MOST_PARTS} buckets or fewer."
        )));
    }
    let end = match until > now {
        true => now + Span::from_micros(unit.micros() - now.micros().rem_euclid(unit.micros())),
        false => until,
    };
    let first = (since.micros() - PIVOT).div_euclid(step);
    let start = Timestamp::from_micros(PIVOT + first.saturating_mul(step));
    Ok(Buckets::of_at_most(
        MOST_PARTS + 1,
        (start, end),
        Span::from_micros(step),
    ))
}

pub async fn count(
    State(ctx): State<Ctx>,
    who: Requester,
    Path(countable): Path<String>,
    Body(query): Body<CountQuery>,
) -> Answer {
    let now = ctx.app.now();
    let filter = query.filter.asked(now)?;
    let asked = match countable.as_str() {
        "event" => return by(&ctx, &who, filter, Countable::Name).await,
        "resource" => return by(&ctx, &who, filter, Countable::Resource).await,
        "day" => (TimeUnit::Day, 1.0),
        "time" => (query.time_unit, query.time_interval),
        _ => {
            let words = "Events are counted by day, time, event or resource.";
            return Err(Error::invalid(words).into());
        }
    };
    let buckets = parts(filter.since, filter.until, now, asked)?;
    let counts = ctx.app.events_over_time(filter, buckets).await?;
    ok(&who, spread(buckets, &counts)).await
}

async fn by(
    ctx: &Ctx,
    who: &Requester,
    filter: event::filter::Filter,
    countable: Countable,
) -> Answer {
    let tallies = ctx.app.tally_events(filter, countable, MOST_THINGS).await?;
    let counts = tallies.into_iter().map(EventCount::from);
    ok(who, counts.collect::<Vec<_>>()).await
}

/// Every part with its number of events, empty ones included.
fn spread(buckets: Buckets, counts: &[(i64, u64)]) -> Vec<EventCount> {
    let mut parts: Vec<_> = buckets
        .each()
        .map(|(number, start, end)| EventCount {
            value: number.to_string(),
            label: { start.utc() }
                .map(|at| at.to_rfc3339_opts(SecondsFormat::AutoSi, false))
                .unwrap_or_default(),
            count: 0,
            start_time: start.into(),
            end_time: (end - Span::from_micros(1)).into(),
        })
        .collect();
    for (number, count) in counts {
        let at = usize::try_from(*number).ok();
        if let Some(part) = at.and_then(|at| parts.get_mut(at)) {
            part.count = *count;
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_parted_where_the_reference_parts_it() {
        let at = |secs: i64| Timestamp::from_micros(PIVOT + secs * 1_000_000);
        let day = 86_400;
        let of = |since, until, now, asked| {
            let parts = parts(at(since), at(until), at(now), asked).unwrap();
            let ends = (parts.start().micros() - PIVOT, parts.end().micros() - PIVOT);
            (ends.0 / 1_000_000, ends.1 / 1_000_000)
        };
        let days = (TimeUnit::Day, 1.0);
        assert_eq!(of(10, 2 * day, 9 * day, days), (0, 2 * day));
        assert_eq!(of(-10, 10, 9 * day, days), (-day, day));
        // What is to come is told up to the end of the day.
        assert_eq!(of(0, 9 * day, day + 5, days), (0, 2 * day));
        assert_eq!(of(5, 100, day, (TimeUnit::Minute, 0.5)), (0, 120));
        for asked in [(TimeUnit::Second, 0.001), (TimeUnit::Second, 1.0)] {
            assert!(parts(at(0), at(day), at(day), asked).is_err(), "{asked:?}");
        }
    }
}

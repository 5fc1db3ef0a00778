//! Zones: from instants to wall clocks and back.

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::domain::time::Timestamp;

/// The zone of that name; UTC when there is none.
pub(super) fn named(name: Option<&str>) -> Result<TimeZone, String> {
    match name {
        None => Ok(TimeZone::UTC),
        Some(name) => TimeZone::get(name).map_err(|_| format!("Invalid timezone: \"{name}\"")),
    }
}

/// The wall clock's reading at an instant; `None` beyond the calendar.
pub(super) fn wall_clock(at: Timestamp, zone: &TimeZone) -> Option<NaiveDateTime> {
    let instant = jiff::Timestamp::from_microsecond(at.micros()).ok()?;
    let local = zone.to_datetime(instant);
    let date = NaiveDate::from_ymd_opt(
        local.year().into(),
        u32::try_from(local.month()).ok()?,
        u32::try_from(local.day()).ok()?,
    )?;
    date.and_hms_micro_opt(
        u32::try_from(local.hour()).ok()?,
        u32::try_from(local.minute()).ok()?,
        u32::try_from(local.second()).ok()?,
        u32::try_from(local.subsec_nanosecond() / 1000).ok()?,
    )
}

/// When the zone's offset from UTC changes next.
pub(super) fn next_change(after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let after = jiff::Timestamp::from_microsecond(after.micros()).ok()?;
    let change = zone.following(after).next()?;
    Some(Timestamp::from_micros(change.timestamp().as_microsecond()))
}

/// Readings that a day skips.
pub(super) struct Skipped {
    /// The first reading after them.
    pub end: NaiveDateTime,
    /// How long they are.
    pub length: TimeDelta,
}

/// What is skipped just before an instant: less than its own length ago.
pub(super) fn gap_before(at: Timestamp, zone: &TimeZone) -> Option<Skipped> {
    let instant = jiff::Timestamp::from_microsecond(at.micros()).ok()?;
    let before = jiff::Timestamp::from_microsecond(at.micros() + 1).ok()?;
    let change = zone.preceding(before).next()?;
    let start = change.timestamp();
    let earlier = jiff::Timestamp::from_microsecond(start.as_microsecond() - 1).ok()?;
    let offsets = (zone.to_offset(earlier), change.offset());
    let length = i64::from(offsets.1.seconds() - offsets.0.seconds());
    let is_near = instant.as_microsecond() - start.as_microsecond() < length * 1_000_000;
    let end = wall_clock(Timestamp::from_micros(start.as_microsecond()), zone)?;
    is_near.then(|| Skipped {
        end,
        length: TimeDelta::seconds(length),
    })
}

/// What a reading that a day skips means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// The time moved forward by what is skipped: 02:30 is 03:30.
    Forward,
    /// The time moved back by it: 02:30 is 01:30.
    Backward,
}

fn civil(reading: NaiveDateTime) -> Option<DateTime> {
    DateTime::new(
        i16::try_from(reading.year()).ok()?,
        i8::try_from(reading.month()).ok()?,
        i8::try_from(reading.day()).ok()?,
        i8::try_from(reading.hour()).ok()?,
        i8::try_from(reading.minute()).ok()?,
        i8::try_from(reading.second()).ok()?,
        i32::try_from(reading.nanosecond()).ok()?,
    )
    .ok()
}

/// The instant at which the wall clock reads so, seen from another: of one that a day has twice,
/// that with the other's offset from UTC, else the first. One that a day skips is moved forward.
pub(super) fn instant_seen_from(
    other: Timestamp,
    reading: NaiveDateTime,
    zone: &TimeZone,
) -> Option<Timestamp> {
    let other = jiff::Timestamp::from_microsecond(other.micros()).ok()?;
    let ambiguous = zone.to_ambiguous_timestamp(civil(reading)?);
    let instant = match ambiguous.offset() {
        AmbiguousOffset::Fold { after, .. } if after == zone.to_offset(other) => ambiguous.later(),
        _ => ambiguous.compatible(),
    };
    Some(Timestamp::from_micros(instant.ok()?.as_microsecond()))
}

/// The instant at which the wall clock reads so. One that a day has twice is the first.
pub(super) fn instant(reading: NaiveDateTime, zone: &TimeZone, gap: Gap) -> Option<Timestamp> {
    let civil = civil(reading)?;
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    let instant = match (ambiguous.offset(), gap) {
        (AmbiguousOffset::Gap { .. }, Gap::Backward) => ambiguous.earlier(),
        _ => ambiguous.compatible(),
    };
    let instant = instant.ok()?;
    Some(Timestamp::from_micros(instant.as_microsecond()))
}

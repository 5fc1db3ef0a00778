//! Zones: from instants to wall clocks and back.

use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};
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

/// What a reading that a day skips means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// The time moved forward by what is skipped: 02:30 is 03:30.
    Forward,
    /// The time moved back by it: 02:30 is 01:30.
    Backward,
}

/// The instant at which the wall clock reads so. One that a day has twice is the first.
pub(super) fn instant(reading: NaiveDateTime, zone: &TimeZone, gap: Gap) -> Option<Timestamp> {
    let civil = DateTime::new(
        i16::try_from(reading.year()).ok()?,
        i8::try_from(reading.month()).ok()?,
        i8::try_from(reading.day()).ok()?,
        i8::try_from(reading.hour()).ok()?,
        i8::try_from(reading.minute()).ok()?,
        i8::try_from(reading.second()).ok()?,
        i32::try_from(reading.nanosecond()).ok()?,
    )
    .ok()?;
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    let instant = match (ambiguous.offset(), gap) {
        (AmbiguousOffset::Gap { .. }, Gap::Backward) => ambiguous.earlier(),
        _ => ambiguous.compatible(),
    };
    let instant = instant.ok()?;
    Some(Timestamp::from_micros(instant.as_microsecond()))
}

//! Readings of the wall clock as whole seconds.

use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};

/// The seconds of a day.
pub(super) const DAY: i64 = 86_400;

/// A reading of the wall clock: seconds since the 31st of December before the year 1, so that
/// the 1st of January is day 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reading(pub i64);

impl Reading {
    /// The last second of the year 9999, where the calendar of Prefect's library ends.
    pub const LAST: Self = Self(3_652_060 * DAY - 1);

    /// The first second that is not before a reading.
    pub fn from_or_after(reading: NaiveDateTime) -> Self {
        let whole = i64::from(reading.num_days_from_ce()) * DAY
            + i64::from(reading.num_seconds_from_midnight());
        Self(whole + i64::from(reading.nanosecond() > 0))
    }

    /// The reading in chrono's terms.
    pub fn clock(self) -> Option<NaiveDateTime> {
        let date = date_of(self.day())?;
        date.and_hms_opt(0, 0, 0)?
            .checked_add_signed(chrono::TimeDelta::seconds(self.second()))
    }

    /// The day's number.
    pub fn day(self) -> i64 {
        self.0.div_euclid(DAY)
    }

    /// The second within the day.
    pub fn second(self) -> i64 {
        self.0.rem_euclid(DAY)
    }

    /// Year, month and day of the month.
    pub fn date(self) -> (i32, i32, i32) {
        let date = date_of(self.day()).unwrap_or_default();
        (date.year(), date.month() as i32, date.day() as i32)
    }

    /// Hour, minute and second.
    pub fn time(self) -> (i32, i32, i32) {
        let second = self.second() as i32;
        (second / 3600, second / 60 % 60, second % 60)
    }

    /// Monday is 0.
    pub fn week_day(self) -> u8 {
        week_day(self.day()) as u8
    }
}

/// The date of a day's number.
pub(super) fn date_of(day: i64) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(i32::try_from(day).ok()?)
}

/// The day's number of the first day of a month.
pub(super) fn first_of(year: i64, month: u32) -> Option<i64> {
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, 1)?;
    Some(date.num_days_from_ce().into())
}

/// Monday is 0, of a day's number.
pub(super) fn week_day(day: i64) -> i64 {
    (day - 1).rem_euclid(7)
}

//! Instants and lengths of time, both in whole microseconds.
//!
//! Microseconds are what Prefect's wire carries and what a row keeps; anything finer would
//! be lost on the way and make two equal instants differ.

use std::ops::{Add, AddAssign, Sub};

use chrono::{DateTime, SecondsFormat, Utc};
use jiff::SpanRelativeTo;

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A length of time in microseconds; negative when it points backwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(i64);

/// 0001-01-01T00:00:00Z.
const FIRST: i64 = -62_135_596_800_000_000;
/// 9999-12-31T23:59:59.999999Z.
const LAST: i64 = 253_402_300_799_999_999;

/// The longest length of time that a client may name: a thousand years of 365.25 days. Added to
/// any moment at which somebody runs this, it stays within the calendar.
const LONGEST_SECS: f64 = 31_557_600_000.0;

impl Timestamp {
    /// The instant so many microseconds after the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Whether Python's calendar, the years 1 to 9999 in UTC, has this instant. No client reads
    /// another, so none is stored.
    pub fn is_in_calendar(self) -> bool {
        (FIRST..=LAST).contains(&self.0)
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// As the modern dialect writes it: RFC 3339 with microseconds; empty beyond the calendar.
    pub fn iso(self) -> String {
        let written = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Micros, true);
        self.utc().map(written).unwrap_or_default()
    }

    /// The same instant as a calendar date in UTC; `None` beyond the years that chrono knows
    /// (some 260,000 years either way).
    pub fn utc(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros(self.0)
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at.timestamp_micros())
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A length of so many microseconds.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// A length of so many seconds; fractions below a microsecond are rounded.
    pub fn from_secs_f64(secs: f64) -> Self {
        // A float that does not fit saturates, which is what "for ever" should do.
        Self((secs * 1e6).round() as i64)
    }

    /// A length that a client names, in seconds; `None` for what is not finite and beyond a
    /// thousand years either way.
    pub fn of_secs(secs: f64) -> Option<Self> {
        let fits = secs.abs() <= LONGEST_SECS;
        fits.then(|| Self::from_secs_f64(secs))
    }

    /// A length that a client writes as text, such as `PT30S` or `00:00:30`; `None` for what is
    /// none. A plain number is none.
    pub fn written(text: &str) -> Option<Self> {
        let span = text.parse::<jiff::Span>().ok()?;
        let exact = span.to_duration(SpanRelativeTo::days_are_24_hours());
        let micros = i64::try_from(exact.ok()?.as_micros()).ok()?;
        Some(Self(micros))
    }

    /// The length in microseconds.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The length in seconds, fractions included.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Whole seconds, cut towards zero.
    pub const fn whole_secs(self) -> i64 {
        self.0 / 1_000_000
    }
}

impl Add<Span> for Timestamp {
    type Output = Timestamp;

    fn add(self, span: Span) -> Timestamp {
        Timestamp(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Timestamp {
    type Output = Timestamp;

    fn sub(self, span: Span) -> Timestamp {
        Timestamp(self.0.saturating_sub(span.0))
    }
}

impl Sub for Timestamp {
    type Output = Span;

    fn sub(self, earlier: Timestamp) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Add for Span {
    type Output = Span;

    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Span) {
        *self = *self + other;
    }
}

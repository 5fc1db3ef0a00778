//! Instants in RFC 3339, always with microseconds and `Z`.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

use crate::domain::time::Timestamp;

/// An instant. Reads any RFC 3339 instant of the years 1 to 9999, which all clients can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct Instant(DateTime<Utc>);

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let at = DateTime::<Utc>::deserialize(deserializer)?;
        match Timestamp::from(at).is_in_calendar() {
            true => Ok(Self(at)),
            false => Err(D::Error::custom("the years 1 to 9999 are understood")),
        }
    }
}

impl Instant {
    /// As a calendar date.
    pub fn utc(self) -> DateTime<Utc> {
        self.0
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl From<Timestamp> for Instant {
    fn from(at: Timestamp) -> Self {
        // Beyond the calendar there is no better answer than its edge.
        Self(at.utc().unwrap_or(DateTime::<Utc>::MAX_UTC))
    }
}

impl From<Instant> for Timestamp {
    fn from(at: Instant) -> Self {
        at.0.into()
    }
}

impl From<DateTime<Utc>> for Instant {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at)
    }
}

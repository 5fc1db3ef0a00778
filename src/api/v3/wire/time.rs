//! Instants in RFC 3339, always with microseconds and `Z`.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use serde::de::{self, Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

use crate::domain::time::Timestamp;

/// An instant. Reads any instant of the years 1 to 9999, which all clients can read: in RFC 3339, or
/// as the reference takes it as well, without a zone (in UTC), as a date, or as seconds or milliseconds
/// since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct Instant(DateTime<Utc>);

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let at = deserializer.deserialize_any(Words)?;
        match Timestamp::from(at).is_in_calendar() {
            true => Ok(Self(at)),
            false => Err(D::Error::custom("the years 1 to 9999 are understood")),
        }
    }
}

/// How instants are written that say no zone.
const LOCAL: [&str; 5] = [
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
    "%Y%m%dT%H%M%S",
];
/// From here on a number counts milliseconds.
const MILLISECONDS: f64 = 2e10;

struct Words;

impl Visitor<'_> for Words {
    type Value = DateTime<Utc>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an instant such as 2030-01-01T00:00:00Z")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<DateTime<Utc>, E> {
        written(text).ok_or_else(|| E::custom("an instant is written such as 2030-01-01T00:00:00Z"))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<DateTime<Utc>, E> {
        counted(number).ok_or_else(|| E::custom("the years 1 to 9999 are understood"))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<DateTime<Utc>, E> {
        self.visit_f64(number as f64)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<DateTime<Utc>, E> {
        self.visit_f64(number as f64)
    }
}

fn written(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    let local = |form: &&str| NaiveDateTime::parse_from_str(text, form).ok();
    let local = LOCAL.iter().find_map(local).or_else(|| {
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        date.and_hms_opt(0, 0, 0)
    });
    let number = || text.parse().ok().and_then(counted);
    local.map(|local| local.and_utc()).or_else(number)
}

/// Of seconds, or of milliseconds, since 1970.
fn counted(number: f64) -> Option<DateTime<Utc>> {
    let seconds = match number.abs() > MILLISECONDS {
        true => number / 1000.0,
        false => number,
    };
    let micros = (seconds * 1e6).round();
    let fits = micros.abs() < 1e18;
    fits.then(|| DateTime::from_timestamp_micros(micros as i64))?
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn instants_are_read_in_every_form() {
        let told = |given: Value| {
            serde_json::from_value::<Instant>(given)
                .ok()
                .map(|it| it.to_string())
        };
        let day = Some("2021-06-01T00:00:00.000000Z".to_owned());
        for given in [
            json!("2021-06-01T00:00:00Z"),
            json!("2021-06-01T02:00:00+02:00"),
            json!("2021-06-01T00:00"),
            json!("2021-06-01 00:00:00.0"),
            json!("2021-06-01"),
            json!("20210601T000000"),
            json!(1_622_505_600),
            json!(1_622_505_600_000_i64),
            json!("1622505600"),
        ] {
            assert_eq!(told(given.clone()), day, "{given}");
        }
        assert_eq!(told(json!(7.5)).unwrap(), "1970-01-01T00:00:07.500000Z");
        for given in [
            json!("x"),
            json!(""),
            json!(null),
            json!(true),
            json!(1e300),
            json!("2021-13-01"),
        ] {
            assert_eq!(told(given.clone()), None, "{given}");
        }
    }
}

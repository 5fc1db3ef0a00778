//! Instants as that server writes them.

use chrono::{DateTime, Datelike, Timelike, Utc};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::domain::time::{Span, Timestamp};

/// An instant in ISO 8601 with `+00:00`, its microseconds left out when there are none.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct Iso(pub Timestamp);

impl Serialize for Iso {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match text(self.0) {
            Some(text) => serializer.serialize_str(text.as_str()),
            // Beyond four digits of a year there is no better answer than chrono's.
            None => {
                let at = self.0.utc().unwrap_or(DateTime::<Utc>::MAX_UTC);
                serializer.collect_str(&at.format("%Y-%m-%dT%H:%M:%S%.6f+00:00"))
            }
        }
    }
}

/// An instant's text without any allocation: an answer holds many of them.
struct Text {
    bytes: [u8; LONG],
    len: usize,
}

/// As long as an instant gets.
const LONG: usize = "2022-03-01T12:00:00.000500+00:00".len();

impl Text {
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    /// A number with leading zeros.
    fn number(&mut self, number: u32, digits: u32) {
        for digit in (0..digits).rev() {
            let digit = number / 10u32.pow(digit) % 10;
            self.push(b'0' + digit as u8);
        }
    }

    fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.len).unwrap_or_default();
        // It is made of digits and signs only.
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

fn text(at: Timestamp) -> Option<Text> {
    // Of a date with an offset each part would be moved by that offset.
    let utc = at.utc()?.naive_utc();
    let year = u32::try_from(utc.year())
        .ok()
        .filter(|year| *year < 10_000)?;
    let mut text = Text {
        bytes: [0; LONG],
        len: 0,
    };
    let parts = [
        (utc.month(), b'-'),
        (utc.day(), b'-'),
        (utc.hour(), b'T'),
        (utc.minute(), b':'),
        (utc.second(), b':'),
    ];
    text.number(year, 4);
    for (number, before) in parts {
        text.push(before);
        text.number(number, 2);
    }
    let micros = utc.nanosecond() / 1000;
    if micros != 0 {
        text.push(b'.');
        text.number(micros, 6);
    }
    for byte in b"+00:00" {
        text.push(*byte);
    }
    Some(text)
}

/// A length of time in seconds.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(value_type = f64)]
pub struct Secs(pub Span);

impl Serialize for Secs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_look_like_python_s() {
        let text = |micros| serde_json::to_string(&Iso(Timestamp::from_micros(micros))).unwrap();
        assert_eq!(text(1_646_136_000_000_000), "\"2022-03-01T12:00:00+00:00\"");
        assert_eq!(
            text(1_646_136_000_000_500),
            "\"2022-03-01T12:00:00.000500+00:00\""
        );
        assert_eq!(text(-1), "\"1969-12-31T23:59:59.999999+00:00\"");
        // Years of more than four digits are chrono's to write.
        let far = text(i64::MAX);
        assert!(far.starts_with("\"+26214"), "{far}");
    }
}

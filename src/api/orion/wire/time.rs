//! Instants as that server writes them.

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::domain::time::{Span, Timestamp};

/// An instant in ISO 8601 with `+00:00`, its microseconds left out when there are none.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct Iso(pub Timestamp);

impl Serialize for Iso {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Beyond the calendar there is no better answer than its edge.
        let at = self.0.utc().unwrap_or(DateTime::<Utc>::MAX_UTC);
        let form = match self.0.micros().rem_euclid(1_000_000) {
            0 => "%Y-%m-%dT%H:%M:%S+00:00",
            _ => "%Y-%m-%dT%H:%M:%S%.6f+00:00",
        };
        serializer.collect_str(&at.format(form))
    }
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
    }
}

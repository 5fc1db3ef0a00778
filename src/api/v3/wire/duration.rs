//! Lengths of time: a number of seconds, or a text as ISO 8601 or a clock has it.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use crate::domain::time::Span;

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(value_type = f64)]
pub struct Duration(pub Span);

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Words).map(Self)
    }
}

struct Words;

impl Visitor<'_> for Words {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds, or a length of time such as PT30S")
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<Span, E> {
        Span::of_secs(seconds).ok_or_else(|| E::custom("the time is too long"))
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Span, E> {
        self.visit_f64(seconds as f64)
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Span, E> {
        self.visit_f64(seconds as f64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Span, E> {
        Span::written(text).ok_or_else(|| E::custom("a length of time is written such as PT30S"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lengths_are_read_in_every_form() {
        for (value, seconds) in [
            (json!(30), 30.0),
            (json!(30.5), 30.5),
            (json!("PT30S"), 30.0),
            (json!("P1D"), 86_400.0),
            (json!("P1DT1H"), 90_000.0),
            (json!("00:00:30"), 30.0),
        ] {
            let Duration(span) = serde_json::from_value(value.clone()).unwrap();
            assert_eq!(span.as_secs_f64(), seconds, "{value}");
        }
        for value in [
            json!("30"),
            json!(null),
            json!("P"),
            json!([]),
            json!("soon"),
        ] {
            assert!(
                serde_json::from_value::<Duration>(value.clone()).is_err(),
                "{value}"
            );
        }
    }
}

//! Answers that are plain values.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

use super::{Reader, Redact};

/// Says of types that they hold nothing that clients wrote.
macro_rules! harmless {
    ($($plain:ty),*) => {$(
        impl $crate::api::redaction::Redact for $plain {
            fn redact(&mut self, _reader: &$crate::api::redaction::Reader<'_>) {}
        }
    )*};
}
pub(in crate::api) use harmless;

harmless!((), bool, u64, f64, &'static str, BTreeMap<Uuid, usize>);

impl Redact for String {
    fn redact(&mut self, reader: &Reader<'_>) {
        reader.of_nobody().over(self);
    }
}

impl Redact for Value {
    fn redact(&mut self, reader: &Reader<'_>) {
        reader.of_nobody().over(self);
    }
}

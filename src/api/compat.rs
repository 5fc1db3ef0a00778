//! Fields that Prefect clients send and this daemon does not know.
//!
//! A client of another version than the daemon was written for may send more than is read here.
//! That is no reason to refuse it, and worth knowing: each such field is counted by the client's
//! version, and the log tells it once.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::domain::time::Timestamp;

/// The most fields that are told apart; those that come later are counted together.
const MOST: usize = 500;
/// The most bytes that are kept of what a client wrote.
const LONGEST: usize = 120;

/// Which field is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnknownField {
    /// What the client calls itself, such as `3.9.1`; `?` where it does not say.
    pub client: String,
    /// The operation, such as `POST /deployments/`.
    pub operation: String,
    /// The field's place in the body, such as `schedules.catchup`.
    pub field: String,
}

/// How often a field came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sightings {
    /// How often.
    pub count: u64,
    /// For the first time.
    pub first: Timestamp,
    /// For the last time.
    pub last: Timestamp,
}

/// The fields that were ignored since the daemon started.
#[derive(Default)]
pub struct Compat {
    seen: Mutex<HashMap<UnknownField, Sightings>>,
}

impl Compat {
    /// Notes that a field was ignored.
    pub fn note(&self, field: UnknownField, now: Timestamp) {
        let mut field = UnknownField {
            client: shortened(field.client),
            operation: field.operation,
            field: shortened(field.field),
        };
        let mut seen = self.seen.lock();
        if seen.len() >= MOST && !seen.contains_key(&field) {
            field = others();
        }
        let sightings = seen.entry(field.clone()).or_insert(Sightings {
            count: 0,
            first: now,
            last: now,
        });
        sightings.count += 1;
        sightings.last = now;
        let is_first = sightings.count == 1;
        drop(seen);
        if is_first {
            let UnknownField {
                client,
                operation,
                field,
            } = field;
            tracing::warn!(
                client,
                operation,
                field,
                "a Prefect client sends a field that is not known here and is ignored"
            );
        }
    }

    /// All of them, by client, operation and field.
    pub fn all(&self) -> Vec<(UnknownField, Sightings)> {
        let seen = self.seen.lock();
        let mut all: Vec<_> = seen
            .iter()
            .map(|(field, it)| (field.clone(), *it))
            .collect();
        drop(seen);
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        all
    }
}

/// In the place of those for which there is no room.
fn others() -> UnknownField {
    UnknownField {
        client: "?".to_owned(),
        operation: "?".to_owned(),
        field: "(others)".to_owned(),
    }
}

fn shortened(mut text: String) -> String {
    let end = text.floor_char_boundary(LONGEST);
    if end < text.len() {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: impl Into<String>) -> UnknownField {
        UnknownField {
            client: "3.9.1".to_owned(),
            operation: "POST /flows/".to_owned(),
            field: name.into(),
        }
    }

    #[test]
    fn fields_are_counted_and_bounded() {
        let compat = Compat::default();
        let at = Timestamp::from_micros;
        compat.note(field("a"), at(1));
        compat.note(field("a"), at(5));
        let seen = Sightings {
            count: 2,
            first: at(1),
            last: at(5),
        };
        assert_eq!(compat.all(), [(field("a"), seen)]);
        for number in 0..2 * MOST {
            compat.note(field(format!("{number}{}", "x".repeat(number))), at(9));
        }
        let all = compat.all();
        assert_eq!(all.len(), MOST + 1);
        assert!(all.iter().all(|(it, _)| it.field.len() < LONGEST + 4));
        let counted: u64 = all.iter().map(|(_, it)| it.count).sum();
        assert_eq!(counted, 2 + 2 * MOST as u64);
    }
}

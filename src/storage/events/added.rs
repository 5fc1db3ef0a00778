//! Counting events as they come, by the minute and by the hour.

use std::collections::BTreeMap;

use rusqlite::{Connection, ToSql};

use super::counts::{HOUR, MINUTE};
use crate::domain::error::Result;
use crate::domain::time::Timestamp;
use crate::storage::parts::Parts;
use crate::storage::query;

const MORE: &str = include_str!("../../../sql/queries/events/more.sql");
const FIRST: &str = include_str!("../../../sql/queries/events/first.sql");

/// Events that have been stored and are not counted yet; see [`counting`].
#[derive(Debug)]
pub struct Added {
    /// How many of each minute and name.
    minutes: BTreeMap<(i64, String), i64>,
}

/// Stores events and counts them. Many that come together are of few names and of one minute, so they are
/// counted together, once all are stored.
///
/// # Errors
/// Those of `store`, and of the database; what was stored is then to be undone.
pub fn counting(db: &Connection, store: impl FnOnce(&mut Added) -> Result<()>) -> Result<()> {
    let mut added = Added {
        minutes: BTreeMap::new(),
    };
    store(&mut added)?;
    added.count(db)
}

impl Added {
    /// One of that name, which happened then.
    pub(super) fn note(&mut self, occurred: Timestamp, name: &str) {
        let minute = occurred.micros().last_of(MINUTE);
        *self.minutes.entry((minute, name.to_owned())).or_default() += 1;
    }

    fn count(self, db: &Connection) -> Result<()> {
        let mut hours: BTreeMap<(i64, &str), i64> = BTreeMap::new();
        for ((minute, name), count) in &self.minutes {
            add(db, MINUTE, (*minute, name), *count)?;
            *hours.entry((minute.last_of(HOUR), name)).or_default() += count;
        }
        for (hour, count) in hours {
            add(db, HOUR, hour, count)?;
        }
        Ok(())
    }
}

fn add(db: &Connection, step: i64, (start, name): (i64, &str), count: i64) -> Result<()> {
    let params: &[(&str, &dyn ToSql)] = &[
        (":count", &count),
        (":step", &step),
        (":start", &start),
        (":name", &name),
    ];
    query::change_or_make(db, (MORE, FIRST), params)
}

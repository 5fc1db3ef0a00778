//! Ids of any noun in the store.

use rusqlite::Connection;
use uuid::Uuid;

use super::filters::{self, ids as question};
use crate::domain::error::Result;
use crate::domain::filter::Noun;

/// Up to `limit` ids, each with its name, between two ids, both included.
pub fn between(
    db: &Connection,
    noun: Noun,
    first: Uuid,
    last: Uuid,
    limit: u64,
) -> Result<Vec<(Uuid, String)>> {
    let statement = question::between(noun, first, last, limit);
    filters::all(db, &statement, |row| {
        Ok((uuid(&row.get::<_, Vec<u8>>(0)?), row.get(1)?))
    })
}

/// The nearest ids below and above one; whether it is there itself does not matter.
pub fn neighbours(db: &Connection, noun: Noun, id: Uuid) -> Result<Vec<Uuid>> {
    let mut found = Vec::new();
    for below in [true, false] {
        let statement = question::neighbour(noun, id, below);
        let nearest = filters::all(db, &statement, |row| row.get::<_, Option<Vec<u8>>>(0))?;
        found.extend(nearest.into_iter().flatten().map(|bytes| uuid(&bytes)));
    }
    Ok(found)
}

/// A column of ids holds nothing else.
fn uuid(bytes: &[u8]) -> Uuid {
    Uuid::from_slice(bytes).unwrap_or_default()
}

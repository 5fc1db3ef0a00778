//! Requests that were carried out, by their keys.

use rusqlite::{Connection, named_params};
use uuid::Uuid;

use super::query;
use crate::domain::error::Result;
use crate::domain::time::Timestamp;

const FIND: &str = include_str!("../../sql/queries/requests/find.sql");
const INSERT: &str = include_str!("../../sql/queries/requests/insert.sql");
const DELETE_OLD: &str = include_str!("../../sql/queries/requests/delete_old.sql");

/// The ids of what the request with that key made. Absent when it was not carried out.
pub fn find(db: &Connection, key: &[u8]) -> Result<Option<Vec<Uuid>>> {
    let params = named_params! {":key": key};
    query::one(db, FIND, params, |row| {
        let made: Option<Vec<u8>> = row.get(0)?;
        let (ids, _) = made.as_deref().unwrap_or_default().as_chunks();
        Ok(ids.iter().copied().map(Uuid::from_bytes).collect())
    })
}

/// Notes that a request was carried out, and the ids of what it made.
pub fn insert(db: &Connection, key: &[u8], made: &[Uuid], now: Timestamp) -> Result<()> {
    let made: Vec<u8> = made.iter().flat_map(|id| *id.as_bytes()).collect();
    let made = Some(made).filter(|made| !made.is_empty());
    let params = named_params! {":key": key, ":created": now, ":subject": made};
    query::change(db, INSERT, params)?;
    Ok(())
}

/// Forgets up to `limit` requests from before a moment, and answers how many there were.
pub fn delete_old(db: &Connection, before: Timestamp, limit: i64) -> Result<usize> {
    let params = named_params! {":before": before, ":limit": limit};
    query::change(db, DELETE_OLD, params)
}

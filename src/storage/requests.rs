//! Requests that were carried out, by their keys.

use rusqlite::{Connection, named_params};
use uuid::Uuid;

use super::query;
use crate::domain::error::Result;
use crate::domain::time::Timestamp;

const FIND: &str = include_str!("../../sql/queries/requests/find.sql");
const INSERT: &str = include_str!("../../sql/queries/requests/insert.sql");
const DELETE_OLD: &str = include_str!("../../sql/queries/requests/delete_old.sql");

/// What was noted of the request with that key: what it made, where it made something. Absent
/// when it was not carried out.
pub fn find(db: &Connection, key: &[u8]) -> Result<Option<Option<Uuid>>> {
    let params = named_params! {":key": key};
    query::one(db, FIND, params, |row| {
        Ok(row.get::<_, Option<[u8; 16]>>(0)?.map(Uuid::from_bytes))
    })
}

/// Notes that a request was carried out.
pub fn insert(db: &Connection, key: &[u8], subject: Option<Uuid>, now: Timestamp) -> Result<()> {
    let subject = subject.map(Uuid::into_bytes);
    let params = named_params! {":key": key, ":created": now, ":subject": subject};
    query::change(db, INSERT, params)?;
    Ok(())
}

/// Forgets up to `limit` requests from before a moment, and answers how many there were.
pub fn delete_old(db: &Connection, before: Timestamp, limit: i64) -> Result<usize> {
    let params = named_params! {":before": before, ":limit": limit};
    query::change(db, DELETE_OLD, params)
}

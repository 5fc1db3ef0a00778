//! Everything at once.

use rusqlite::Connection;

use crate::domain::error::Result;

const CLEAR: &str = include_str!("../../sql/queries/admin/clear.sql");

/// Empties every table.
pub fn clear(db: &Connection) -> Result<()> {
    Ok(db.execute_batch(CLEAR)?)
}

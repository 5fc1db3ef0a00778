//! What the file itself needs and tells.

use rusqlite::Connection;

use crate::domain::error::Result;

/// How many pages of the file hold nothing.
pub fn free_pages(db: &Connection) -> Result<u64> {
    let pages: i64 = db.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
    Ok(pages.unsigned_abs())
}

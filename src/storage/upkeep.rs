//! What the file itself needs and tells.

use rusqlite::Connection;

use crate::domain::error::Result;

/// The largest file that is made shrinkable at start; it takes a second or two.
const SMALL: u64 = 256 * 1024 * 1024;

/// How many pages of the file hold nothing.
pub fn free_pages(db: &Connection) -> Result<u64> {
    number(db, "freelist_count")
}

/// What is wrong with the file's structure, if anything is.
pub(super) fn quick_check(db: &Connection) -> Result<Option<String>> {
    let said: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok(Some(said).filter(|said| said != "ok"))
}

/// Writes to the file without changing what is in it.
pub(super) fn touch(db: &Connection) -> Result<()> {
    // A number that is the application's own, and that nothing here uses.
    Ok(db.pragma_update(None, "user_version", 0)?)
}

/// Cuts up to `pages` free pages off the end of the file. A file that is not shrinkable
/// stays as it is.
pub fn give_back(db: &Connection, pages: u64) -> Result<()> {
    // Each step of the statement cuts off one page.
    let mut cut = db.prepare_cached(&format!("PRAGMA incremental_vacuum({pages})"))?;
    let mut steps = cut.raw_query();
    while steps.next()?.is_some() {}
    Ok(())
}

/// Lets a file shrink that was made before files could. A large one is left as it is, which
/// the log says.
pub(super) fn make_shrinkable(db: &Connection) -> Result<()> {
    if is_shrinkable(db)? {
        return Ok(());
    }
    let bytes = number(db, "page_count")? * number(db, "page_size")?;
    if bytes > SMALL {
        tracing::warn!(
            bytes,
            "the database file does not shrink when rows go; a backup that is restored does"
        );
        return Ok(());
    }
    // Such as on a full disk, on which the daemon is to start all the same.
    if let Err(error) = rebuild(db) {
        tracing::warn!(%error, "the database file does not shrink when rows go");
    }
    Ok(())
}

/// Writes the file anew, as one that can shrink.
pub(super) fn rebuild(db: &Connection) -> Result<()> {
    Ok(db.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")?)
}

/// Whether free pages can be cut off the file.
pub(super) fn is_shrinkable(db: &Connection) -> Result<bool> {
    Ok(number(db, "auto_vacuum")? > 0)
}

fn number(db: &Connection, pragma: &str) -> Result<u64> {
    let number: i64 = db.pragma_query_value(None, pragma, |row| row.get(0))?;
    Ok(number.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::connection;

    #[test]
    fn as_many_pages_are_given_back_as_are_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let db = connection::open_writer(&dir.path().join("t.db")).unwrap();
        db.execute_batch(
            "CREATE TABLE t (filler BLOB); INSERT INTO t VALUES (zeroblob(400000)); DELETE FROM t",
        )
        .unwrap();
        let before = free_pages(&db).unwrap();
        assert!(before > 32, "{before}");
        give_back(&db, 16).unwrap();
        assert_eq!(free_pages(&db).unwrap(), before - 16);
    }
}

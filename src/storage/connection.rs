//! How connections are opened: one that writes, several that only ask.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::domain::error::{Error, Result};

/// Prepared statements kept by each connection.
const STATEMENTS: usize = 256;

/// SQLite before 3.51.3 can corrupt a write-ahead log when two connections write and
/// checkpoint at once; refuse to run on it.
pub(super) fn check_library() -> Result<()> {
    if rusqlite::version_number() < 3_051_003 {
        return Err(Error::internal(format_args!(
            "SQLite {} is too old: 3.51.3 or newer is needed",
            rusqlite::version()
        )));
    }
    Ok(())
}

/// The connection that writes. Every commit reaches the disk before it is answered.
pub(super) fn open_writer(path: &Path) -> Result<Connection> {
    make_private(path);
    let connection = Connection::open(path).map_err(|error| {
        Error::from(error).while_doing(format_args!("opening {}", path.display()))
    })?;
    // Only a file without any table takes this on; older files are looked after elsewhere.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // While the schema is brought up to date; then see `checkpoints`.
    connection.pragma_update(None, "wal_autocheckpoint", super::checkpoints::LONG)?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    tune(&connection)?;
    cache(&connection, 8 * 1024)?;
    Ok(connection)
}

/// Makes the file of a new database, which only its owner may read: parameters are in it. The
/// files beside it are made like it.
pub(super) fn make_private(path: &Path) {
    let mut new = File::options();
    new.write(true).create_new(true).mode(0o600);
    // One that is there stays as it is; what else is wrong is said when it is opened.
    let _ = new.open(path);
}

/// A connection that only makes checkpoints.
pub(super) fn open_checkpointer(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    tune(&connection)?;
    cache(&connection, 256)?;
    Ok(connection)
}

/// A connection that cannot write. The files are opened, and it is tried whether they can be read; the
/// schema, a copy of its own, it reads with its first question: of several readers most are seldom
/// asked.
pub(super) fn open_reader(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "query_only", true)?;
    tune(&connection)?;
    // This opens the write-ahead log, which may lie elsewhere by the time of the first question.
    connection.pragma_query_value(None, "schema_version", |_| Ok(()))?;
    Ok(connection)
}

/// The only connection while the disk is too full for the files through which several share a
/// database. It keeps the index of the write-ahead log to itself, and writes nothing.
pub(super) fn open_sole_reader(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.pragma_update(None, "query_only", true)?;
    tune(&connection)?;
    Ok(connection)
}

fn tune(connection: &Connection) -> Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Otherwise a statement on a table with partial indexes may be planned by the values that
    // it was first given, and is prepared anew for each new value: a fifth of all work.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(())
}

/// How much of the file a connection keeps for itself, where it is not the usual 2,000 KiB. The file
/// is in the system's cache anyway; a connection's own saves it the way there, and counts as the
/// daemon's memory. This reads the schema.
fn cache(connection: &Connection, kib: i64) -> Result<()> {
    connection.pragma_update(None, "cache_size", -kib)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;
    use crate::domain::ids::{FlowRunId, TaskRunId};
    use crate::storage::{migrate, rows};

    #[test]
    fn a_statement_is_prepared_once_for_all_values() {
        let dir = tempfile::tempdir().unwrap();
        let mut db = open_writer(&dir.path().join("t.db")).unwrap();
        migrate::run(&mut db).unwrap();
        for sql in [
            rows::by_id_of::<FlowRunId>(),
            rows::by_id_of::<TaskRunId>(),
            include_str!("../../sql/queries/flow_runs/enter_state.sql"),
            include_str!("../../sql/queries/claims/due.sql"),
        ] {
            let mut statement = db.prepare(sql).unwrap();
            for value in 1..4 {
                for parameter in 1..=statement.parameter_count() {
                    statement.raw_bind_parameter(parameter, value).unwrap();
                }
                while statement.raw_query().next().unwrap().is_some() {}
                statement.clear_bindings();
            }
            assert_eq!(statement.get_status(StatementStatus::RePrepare), 0, "{sql}");
        }
    }
}

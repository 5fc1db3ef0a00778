//! Brings a database file up to this version's schema, or refuses it.

use refinery::Runner;
use rusqlite::Connection;

use super::error::meaning;
use crate::domain::error::{Error, Result};

mod embedded {
    refinery::embed_migrations!("sql/migrations");
}

/// Applies what is missing, in one transaction. A file that a newer version has already
/// migrated further is refused, untouched.
pub(super) fn run(connection: &mut Connection) -> Result<()> {
    refuse_newer(connection)?;
    runner().run(connection).map_err(|error| why_not(&error))?;
    Ok(())
}

/// A disk that is full and a file that is damaged are told as such.
fn why_not(error: &refinery::Error) -> Error {
    let met = match error.kind() {
        refinery::error::Kind::Connection(_, met) => met.downcast_ref::<rusqlite::Error>(),
        _ => None,
    };
    match met {
        Some(met) => meaning(met).while_doing("migrating the database"),
        None => Error::internal(format_args!("migrating the database: {error}")),
    }
}

fn runner() -> Runner {
    embedded::migrations::runner()
        .set_grouped(true)
        .set_abort_divergent(true)
        .set_abort_missing(true)
}

/// Fails for a file that a newer version has written.
pub(super) fn refuse_newer(connection: &Connection) -> Result<()> {
    let applied = last_applied(connection)?;
    match (applied, newest()) {
        (Some(applied), Some(known)) if applied > known => Err(Error::internal(format_args!(
            "the database has schema version {applied}, this prefectd knows up to {known}: \
                 it was written by a newer version; install that one or restore a backup"
        ))),
        _ => Ok(()),
    }
}

/// The newest migration that there is.
pub(super) fn newest() -> Option<i64> {
    let runner = runner();
    let versions = runner.get_migrations().iter().map(|it| it.version());
    versions.max().map(i64::from)
}

/// The newest migration that the file has seen; `None` for a new file.
pub(super) fn last_applied(connection: &Connection) -> Result<Option<i64>> {
    if !connection.table_exists(None, "refinery_schema_history")? {
        return Ok(None);
    }
    Ok(connection.query_row(
        "SELECT max(version) FROM refinery_schema_history",
        [],
        |row| row.get(0),
    )?)
}

/// All versions, oldest first.
#[cfg(test)]
pub(super) fn versions() -> Vec<i64> {
    let runner = runner();
    let migrations = runner.get_migrations().iter();
    let mut versions: Vec<_> = migrations.map(|it| i64::from(it.version())).collect();
    versions.sort_unstable();
    versions
}

/// Applies what is missing up to a version.
#[cfg(test)]
pub(super) fn run_up_to(connection: &mut Connection, version: i64) -> Result<()> {
    let target = refinery::Target::Version(version.try_into().unwrap());
    let runner = runner().set_target(target);
    runner.run(connection).map_err(|error| why_not(&error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::connection;

    #[test]
    fn migrating_twice_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut db = connection::open_writer(&dir.path().join("t.db")).unwrap();
        run(&mut db).unwrap();
        run(&mut db).unwrap();
        let broken: i64 = db
            .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| {
                row.get(0)
            })
            .unwrap();
        assert_eq!(broken, 0);
    }

    #[test]
    fn a_file_from_a_newer_version_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let mut db = connection::open_writer(&dir.path().join("t.db")).unwrap();
        run(&mut db).unwrap();
        db.execute(
            "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
             VALUES (9999, 'later', '', '0')",
            [],
        )
        .unwrap();
        let refusal = run(&mut db).unwrap_err().to_string();
        assert!(refusal.contains("newer version"), "{refusal}");
    }
}

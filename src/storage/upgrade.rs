//! Brings a database file up to this version's schema, with a copy of what it was at hand until
//! that is done.
//!
//! The migrations are one transaction, so that one that is killed leaves the file as it was. The
//! copy is for what a transaction does not undo: a file that is found to be damaged halfway
//! through, or a disk that fails.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::{connection, migrate, trouble, upkeep};
use crate::domain::error::{Error, Kind, Result};

/// How many of SQLite's steps there are between two looks at the time.
const STEPS: i32 = 100_000;
/// How often the log is told that it still goes on.
const TOLD_EVERY: Duration = Duration::from_secs(5);

/// The writing connection of a file that is up to date.
pub(super) fn open(path: &Path) -> Result<Connection> {
    settle(path)?;
    let db = connection::open_writer(path)?;
    migrate::refuse_newer(&db)?;
    upkeep::make_shrinkable(&db)?;
    match migrate::last_applied(&db)? {
        Some(applied) if Some(applied) < migrate::newest() => upgraded(db, path, applied),
        _ => {
            let mut db = db;
            migrate::run(&mut db)?;
            Ok(db)
        }
    }
}

/// Ends what an upgrade has left that was killed: where the file is whole, with all of the upgrade or
/// nothing of it, the copy has served; otherwise it takes the file's place.
fn settle(path: &Path) -> Result<()> {
    let copy = copy_of(path);
    if !copy.exists() {
        return Ok(());
    }
    tracing::info!("an upgrade of the database was broken off; checking the file");
    if let Some(db) = look(path)? {
        // This version may be older than the file, and the copy is what it could begin with.
        migrate::refuse_newer(&db)?;
        return remove(&copy);
    }
    // It is closed again before it is moved.
    if look(&copy)?.is_none() {
        tracing::error!("the copy from before the upgrade is damaged like the database");
        return remove(&copy);
    }
    put_back(&copy, path)?;
    tracing::error!("the database was damaged, and is as it was before the upgrade");
    Ok(())
}

/// A file that is whole; none where it is damaged.
///
/// # Errors
/// Where that cannot be seen.
fn look(path: &Path) -> Result<Option<Connection>> {
    let checked = connection::open_writer(path).and_then(|db| {
        let fault = upkeep::quick_check(&db)?;
        Ok(fault.is_none().then_some(db))
    });
    match checked {
        Err(error) if error.kind() == Kind::StorageDamaged => Ok(None),
        checked => checked,
    }
}

fn upgraded(mut db: Connection, path: &Path, from: i64) -> Result<Connection> {
    let began = Instant::now();
    let bytes = fs::metadata(path).map_or(0, |file| file.len());
    let to = migrate::newest().unwrap_or_default();
    tracing::info!(from, to, bytes, "upgrading the database");
    let copy = keep(&db, path)?;
    tell_progress(&mut db, began)?;
    let migrated = migrate::run(&mut db);
    db.progress_handler(0, None::<fn() -> bool>)?;
    match migrated {
        Ok(()) => {
            remove(&copy)?;
            let seconds = began.elapsed().as_secs_f64();
            tracing::info!(from, to, seconds, "the database is upgraded");
            Ok(db)
        }
        Err(error) => {
            drop(db);
            put_back(&copy, path)?;
            tracing::error!("the database is as it was before the upgrade, which failed: {error}");
            Err(error)
        }
    }
}

/// Tells the log from time to time that it still goes on.
fn tell_progress(db: &mut Connection, began: Instant) -> Result<()> {
    let mut told = began;
    let tell = move || {
        if told.elapsed() >= TOLD_EVERY {
            told = Instant::now();
            let seconds = began.elapsed().as_secs();
            tracing::info!(seconds, "still upgrading the database");
        }
        false
    };
    Ok(db.progress_handler(STEPS, Some(tell))?)
}

fn copy_of(path: &Path) -> PathBuf {
    path.with_extension("db.before-upgrade")
}

/// Copies the file, whole and on the disk before it has its name.
fn keep(db: &Connection, path: &Path) -> Result<PathBuf> {
    // All of it has to be in the file itself.
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    let copy = copy_of(path);
    let unfinished = path.with_extension("db.before-upgrade.part");
    let copied = fs::copy(path, &unfinished)
        .and_then(|_| fs::File::open(&unfinished)?.sync_all())
        .and_then(|()| fs::rename(&unfinished, &copy));
    copied.map_err(|error| {
        let _ = fs::remove_file(&unfinished);
        let what = "keeping a copy of the database before its upgrade";
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => trouble::full(what),
            _ => Error::internal(format_args!("{what}: {error}")),
        }
    })?;
    Ok(copy)
}

fn put_back(copy: &Path, path: &Path) -> Result<()> {
    remove(&path.with_extension("db-wal"))?;
    remove(&path.with_extension("db-shm"))?;
    fs::rename(copy, path).map_err(|error| {
        Error::internal(format_args!(
            "putting {} back as {}: {error}",
            copy.display(),
            path.display()
        ))
    })
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::internal(format_args!(
            "removing {}: {error}",
            path.display()
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V6: &str = include_str!("../../tests/old_databases/V6.sql");

    fn old(dir: &Path, more: &str) -> PathBuf {
        let path = dir.join("t.db");
        let db = Connection::open(&path).unwrap();
        db.execute_batch(V6).unwrap();
        db.execute_batch(more).unwrap();
        path
    }

    fn names(dir: &Path) -> Vec<String> {
        let files = fs::read_dir(dir).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn an_upgrade_leaves_no_copy() {
        let dir = tempfile::tempdir().unwrap();
        let path = old(dir.path(), "");
        fs::copy(&path, copy_of(&path)).unwrap();
        let db = open(&path).unwrap();
        assert_eq!(migrate::last_applied(&db).unwrap(), migrate::newest());
        drop(db);
        assert_eq!(names(dir.path()), ["t.db"]);
        open(&path).unwrap();
    }

    /// The file with some of its pages overwritten.
    fn damage(path: &Path) {
        let mut bytes = fs::read(path).unwrap();
        let pages = bytes.len() / 4096;
        assert!(pages > 4);
        bytes[4096 * 2..4096 * (pages - 1)].fill(0x5a);
        fs::write(path, bytes).unwrap();
    }

    #[test]
    fn the_copy_takes_the_place_of_a_file_that_a_broken_upgrade_has_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let path = old(dir.path(), "");
        fs::copy(&path, copy_of(&path)).unwrap();
        damage(&path);
        let db = open(&path).unwrap();
        assert_eq!(migrate::last_applied(&db).unwrap(), migrate::newest());
        let runs: i64 = db
            .query_row("SELECT count(*) FROM flow_runs", [], |row| row.get(0))
            .unwrap();
        assert_eq!(runs, 2);
        drop(db);
        assert_eq!(names(dir.path()), ["t.db"]);
    }

    #[test]
    fn a_damaged_copy_takes_no_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = old(dir.path(), "");
        fs::copy(&path, copy_of(&path)).unwrap();
        damage(&copy_of(&path));
        damage(&path);
        let damaged = fs::read(&path).unwrap();
        settle(&path).unwrap();
        assert!(fs::read(&path).unwrap()[4096 * 2..] == damaged[4096 * 2..]);
        assert!(!copy_of(&path).exists());
    }

    #[test]
    fn every_version_on_the_way_is_one_to_come_from() {
        let newest = migrate::newest().unwrap();
        let mut ends = Vec::new();
        for target in migrate::versions().into_iter().filter(|it| *it >= 6) {
            let dir = tempfile::tempdir().unwrap();
            let path = old(dir.path(), "");
            let mut db = Connection::open(&path).unwrap();
            migrate::run_up_to(&mut db, target).unwrap();
            assert_eq!(migrate::last_applied(&db).unwrap(), Some(target));
            drop(db);
            let db = open(&path).unwrap();
            assert_eq!(migrate::last_applied(&db).unwrap(), Some(newest));
            let faults: i64 = db
                .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| {
                    row.get(0)
                })
                .unwrap();
            assert_eq!(faults, 0, "from {target}");
            ends.push((target, contents(&db)));
        }
        assert!(ends.len() > 10);
        for pair in ends.windows(2) {
            assert_eq!(pair[0].1, pair[1].1, "from {} and {}", pair[0].0, pair[1].0);
        }
    }

    /// They came before events were counted, or while a trigger counted them: the table is V10's, and from V30
    /// on what stores events counts them itself.
    #[test]
    fn events_of_every_version_are_counted() {
        let versions = migrate::versions();
        for target in versions.into_iter().filter(|it| (10..30).contains(it)) {
            let dir = tempfile::tempdir().unwrap();
            let path = old(dir.path(), "");
            let mut db = Connection::open(&path).unwrap();
            migrate::run_up_to(&mut db, target).unwrap();
            db.execute_batch(
                "INSERT INTO events (id, occurred, received, name, resource_id, resource, related, payload)
                 SELECT randomblob(16), value, value, 'e', 'r', '{}', '[]', '{}'
                 FROM json_each('[0, 59999999, 60000000]')",
            )
            .unwrap();
            drop(db);
            let db = open(&path).unwrap();
            let mut all = db
                .prepare("SELECT step, start, count FROM event_counts ORDER BY step, start")
                .unwrap();
            let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
            let counts: Vec<(i64, i64, i64)> = rows.unwrap().map(Result::unwrap).collect();
            let (minute, hour) = (60_000_000, 3_600_000_000);
            let right = [(minute, 0, 2), (minute, minute, 1), (hour, 0, 3)];
            assert_eq!(counts, right, "from {target}");
        }
    }

    /// All that tables have, but when each migration was made.
    fn contents(db: &Connection) -> Vec<(String, Vec<String>)> {
        let mut tables = db
            .prepare(
                "SELECT name FROM sqlite_schema
                 WHERE type = 'table' AND name != 'refinery_schema_history' ORDER BY name",
            )
            .unwrap();
        let names = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let read = names.map(|name| {
            let name = name.unwrap();
            let mut all = db.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
            let width = all.column_count();
            let row = |row: &rusqlite::Row<'_>| {
                let values = (0..width).map(|place| row.get::<_, rusqlite::types::Value>(place));
                let values = values.collect::<rusqlite::Result<Vec<_>>>()?;
                Ok(format!("{values:?}"))
            };
            let rows = all.query_map([], row).unwrap().map(Result::unwrap);
            (name, rows.collect())
        });
        read.collect()
    }

    #[test]
    fn one_that_fails_leaves_the_file_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        // V7 makes a table of that name.
        let path = old(dir.path(), "CREATE TABLE schedules (mine TEXT)");
        let before = Connection::open(&path).unwrap();
        upkeep::rebuild(&before).unwrap();
        drop(before);
        let error = open(&path).unwrap_err();
        assert!(error.to_string().contains("schedules"), "{error}");
        assert_eq!(names(dir.path()), ["t.db"]);
        let db = Connection::open(&path).unwrap();
        assert_eq!(migrate::last_applied(&db).unwrap(), Some(6));
        let runs: i64 = db
            .query_row("SELECT count(*) FROM flow_runs", [], |row| row.get(0))
            .unwrap();
        assert_eq!(runs, 2);
        db.execute("INSERT INTO schedules VALUES ('x')", [])
            .unwrap();
    }
}

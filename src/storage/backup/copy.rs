//! A consistent copy of a database that is being written to.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::super::{connection, migrate};
use crate::domain::error::{Error, Kind, Result};

/// Pages copied at a time; between two such steps the copy can be given up.
const PAGES: i32 = 1024;
/// How long to wait for a page that is locked.
const BREATH: Duration = Duration::from_millis(10);
/// How the names of copies in the making begin.
const PREFIX: &str = ".copy-";

/// A copy of the database as it was at one moment. Its file has no name: it is gone once
/// this is dropped.
#[derive(Debug)]
pub struct Snapshot {
    /// Its bytes, from the start.
    pub file: File,
    /// How many there are.
    pub bytes: u64,
    /// What is in it.
    pub summary: DatabaseSummary,
}

/// What is known of a database's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabaseSummary {
    /// Its schema version.
    pub schema: i64,
    /// How many flow runs it holds.
    pub flow_runs: u64,
}

impl DatabaseSummary {
    /// Of an open database.
    pub(super) fn of(db: &Connection) -> Result<Self> {
        let runs: i64 = db.query_row("SELECT count(*) FROM flow_runs", [], |row| row.get(0))?;
        Ok(Self {
            schema: migrate::last_applied(db)?.unwrap_or_default(),
            flow_runs: runs.unsigned_abs(),
        })
    }
}

/// Copies the database beside itself. `given_up` is asked now and then.
///
/// All steps read within one transaction: writers go on, and nothing that they write makes
/// the copy begin anew. The log is not cut back meanwhile.
pub fn copy(database: &Path, given_up: impl Fn() -> bool) -> Result<Snapshot> {
    let draft = Draft::beside(database);
    let source = connection::open_reader(database)?;
    let moment = source.unchecked_transaction()?;
    let summary = DatabaseSummary::of(&moment)?;
    connection::make_private(&draft.0);
    let mut target = Connection::open(&draft.0)?;
    // A copy that does not survive a crash is made anew.
    target.pragma_update(None, "synchronous", "OFF")?;
    let copying = Backup::new(&moment, &mut target)?;
    loop {
        match copying.step(PAGES)? {
            StepResult::Done => break,
            StepResult::More => {}
            _ => std::thread::sleep(BREATH),
        }
        if given_up() {
            return Err(Error::new(Kind::Unavailable, "The backup was given up."));
        }
    }
    drop(copying);
    target.close().map_err(|(_, error)| error)?;
    let opened = File::open(&draft.0).and_then(|file| Ok((file.metadata()?.len(), file)));
    let (bytes, file) = opened.map_err(Error::internal)?;
    Ok(Snapshot {
        file,
        bytes,
        summary,
    })
}

/// A file with a name of its own that does not outlive this.
struct Draft(PathBuf);

impl Draft {
    fn beside(database: &Path) -> Self {
        Self(database.with_file_name(format!("{PREFIX}{}", uuid::Uuid::now_v7())))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // It may never have come to be.
        let _ = fs::remove_file(&self.0);
    }
}

/// Removes the copies that a daemon left which died while it made them.
pub fn remove_leftovers(database: &Path) {
    let folder = database
        .parent()
        .and_then(|folder| fs::read_dir(folder).ok());
    for entry in folder.into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            // A leftover that stays costs space and nothing else.
            let _ = fs::remove_file(entry.path());
        }
    }
}

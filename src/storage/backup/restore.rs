//! Puts a backup in the place of a state directory's database.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::unpack::unpack;
use super::{BLOBS, DATABASE, Manifest};
use crate::domain::error::{Error, Result};
use crate::state_dir;

/// What was restored.
#[derive(Clone, Debug)]
pub struct Restored {
    /// What the backup held.
    pub manifest: Manifest,
    /// Where the database lies that was there before, if one was.
    pub replaced: Option<PathBuf>,
}

/// Restores `archive` into a state directory that the caller holds. Nothing changes there
/// before all of the archive has been read and found sound. A database that is there is
/// moved aside when `replace` allows it, and else refused. What is written gets the
/// directory's owner, whoever restores it.
pub fn restore(archive: impl Read, state_dir: &Path, replace: bool) -> Result<Restored> {
    let database = state_dir::database(state_dir);
    if database.exists() && !replace {
        return Err(Error::conflict(format!(
            "{} is there already; give --force to move it aside, or another --state-dir",
            database.display()
        )));
    }
    let draft = Draft::within(state_dir)?;
    let manifest = unpack(archive, &draft.0)?;
    let told = |error: io::Error| {
        Error::internal(format_args!(
            "restoring into {}: {error}",
            state_dir.display()
        ))
    };
    documents(&draft.0, &state_dir::blobs(state_dir)).map_err(told)?;
    let replaced = aside(&database).map_err(told)?;
    fs::rename(draft.0.join(DATABASE), &database).map_err(told)?;
    let synced = File::open(state_dir).and_then(|folder| folder.sync_all());
    synced.map_err(told)?;
    give_to_owner(state_dir).map_err(told)?;
    Ok(Restored { manifest, replaced })
}

/// Moves the documents in. Their names are their content, so one that is there is the same.
fn documents(draft: &Path, blobs: &Path) -> io::Result<()> {
    fs::create_dir_all(blobs)?;
    for entry in fs::read_dir(draft.join(BLOBS))? {
        let entry = entry?;
        fs::rename(entry.path(), blobs.join(entry.file_name()))?;
    }
    File::open(blobs)?.sync_all()
}

/// Keeps the database that is there under another name. It stays in its place as well until
/// the new one takes it, so that there is one at every moment.
fn aside(database: &Path) -> io::Result<Option<PathBuf>> {
    if !database.exists() {
        return Ok(None);
    }
    // A sound database takes its log in and needs no more files; one that is not sound,
    // which may be why it is being replaced, takes its log along.
    let folded = Connection::open(database)
        .and_then(|db| db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())));
    if let Err(error) = folded {
        tracing::debug!(%error, "the database that is replaced does not take its log in");
    }
    let name = format!("prefectd.db.replaced-{}", uuid::Uuid::now_v7());
    let kept = database.with_file_name(name);
    fs::hard_link(database, &kept)?;
    for end in ["-wal", "-shm"] {
        let log = with_end(database, end);
        if log.exists() {
            fs::rename(log, with_end(&kept, end))?;
        }
    }
    Ok(Some(kept))
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Gives what lies in the directory to the directory's owner, when it is root who restores.
fn give_to_owner(state_dir: &Path) -> io::Result<()> {
    if !nix::unistd::geteuid().is_root() {
        return Ok(());
    }
    let owner = fs::metadata(state_dir)?;
    let give = |path: &Path| chown(path, Some(owner.uid()), Some(owner.gid()));
    let blobs = state_dir::blobs(state_dir);
    give(&state_dir::database(state_dir))?;
    give(&state_dir::lock_file(state_dir))?;
    give(&blobs)?;
    for entry in fs::read_dir(&blobs)? {
        give(&entry?.path())?;
    }
    Ok(())
}

/// A folder within the state directory that does not outlive this.
struct Draft(PathBuf);

impl Draft {
    fn within(state_dir: &Path) -> Result<Self> {
        let folder = state_dir.join(format!(".restore-{}", uuid::Uuid::now_v7()));
        fs::create_dir(&folder)
            .map_err(|error| Error::internal(format_args!("{}: {error}", folder.display())))?;
        Ok(Self(folder))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // What stays is in nobody's way; the failure that led here is told.
        let _ = fs::remove_dir_all(&self.0);
    }
}

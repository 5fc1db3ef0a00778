//! Whether the files that are open are those that lie in their place.
//!
//! A file that is removed or replaced under a process stays open, and takes writes that
//! nobody finds again. The kernel tells when anything comes or goes in their folder, so that
//! the files need not be looked at with each commit.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use crate::domain::error::{Error, Kind, Result};

/// The database's file and its write-ahead log, as they were when they were opened.
pub(super) struct DatabaseFiles {
    database: Kept,
    wal: Kept,
    /// Tells of what comes and goes in the folder; absent where the kernel has no more of them,
    /// and then the files are looked at each time.
    watch: Option<Inotify>,
    /// Whether they were in their place when they were last looked at.
    is_sound: bool,
}

struct Kept {
    path: PathBuf,
    /// Device and inode; absent while the file has not been seen.
    file: Option<(u64, u64)>,
}

impl DatabaseFiles {
    /// Of a database that has just been opened.
    pub fn of(database: &Path) -> Self {
        let kept = |path: PathBuf| Kept {
            file: identity(&path),
            path,
        };
        Self {
            database: kept(database.to_owned()),
            wal: kept(database.with_extension("db-wal")),
            watch: database.parent().and_then(|folder| watch(folder).ok()),
            is_sound: false,
        }
    }

    /// Fails once a file is not the one that was opened.
    pub fn check(&mut self) -> Result<()> {
        if self.is_sound && !self.has_news() {
            return Ok(());
        }
        let checked = self.database.check().and_then(|()| self.wal.check());
        self.is_sound = checked.is_ok();
        checked
    }

    /// Whether anything may have come or gone since this was last asked.
    fn has_news(&self) -> bool {
        let told = self.watch.as_ref().map(Inotify::read_events);
        !matches!(told, Some(Err(Errno::EAGAIN)))
    }
}

fn watch(folder: &Path) -> nix::Result<Inotify> {
    let watch = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
    let comings = AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVE | AddWatchFlags::IN_MOVE_SELF;
    let goings = AddWatchFlags::IN_DELETE | AddWatchFlags::IN_DELETE_SELF;
    watch.add_watch(folder, comings | goings | AddWatchFlags::IN_ONLYDIR)?;
    Ok(watch)
}

impl Kept {
    fn check(&mut self) -> Result<()> {
        let now = identity(&self.path);
        if self.file.is_none() {
            self.file = now;
        }
        if self.file == now {
            return Ok(());
        }
        let lost = "The database's file was removed or replaced while the daemon used it; \
                    nothing is written. Stop the daemon, put the file back or restore a backup, \
                    and start it again.";
        let context = self.path.display();
        Err(Error::new(Kind::StorageLost, lost).while_doing(context))
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    let found = fs::metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_goes_or_is_another_one_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let (path, aside) = (dir.path().join("t.db"), dir.path().join("aside"));
        fs::write(&path, "one").unwrap();
        let mut files = DatabaseFiles::of(&path);
        files.check().unwrap();
        fs::rename(&path, &aside).unwrap();
        assert_eq!(files.check().unwrap_err().kind(), Kind::StorageLost);
        fs::write(&path, "another").unwrap();
        assert_eq!(files.check().unwrap_err().kind(), Kind::StorageLost);
        fs::rename(&aside, &path).unwrap();
        files.check().unwrap();
        let (folder, away) = (dir.path(), dir.path().with_extension("away"));
        fs::rename(folder, &away).unwrap();
        assert_eq!(files.check().unwrap_err().kind(), Kind::StorageLost);
        fs::rename(&away, folder).unwrap();
        files.check().unwrap();
        // The log may come to be later than this was made.
        let wal = path.with_extension("db-wal");
        fs::write(&wal, "log").unwrap();
        files.check().unwrap();
        fs::remove_file(&wal).unwrap();
        assert_eq!(files.check().unwrap_err().kind(), Kind::StorageLost);
    }
}

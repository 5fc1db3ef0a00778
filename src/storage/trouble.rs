//! Why nothing can be written, if nothing can: known in one place, and told to the log once.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use nix::errno::Errno;
use nix::fcntl::posix_fallocate;
use parking_lot::Mutex;

use crate::domain::alert;
use crate::domain::error::{Error, Kind, Result};

/// How much room there must be for the disk not to count as full, in bytes. Small writes may
/// go on for a while with less, in what the write-ahead log has taken already.
const ROOM: i64 = 1024 * 1024;

/// What is wrong; clones share it.
#[derive(Clone, Default)]
pub(super) struct Trouble {
    told: Arc<Mutex<Option<Told>>>,
    /// That the file is damaged, which only a restart with another one ends. What is sound of
    /// it still takes writes.
    damage: Arc<OnceLock<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    kind: Kind,
    message: String,
}

impl Trouble {
    /// Notes that a write failed for a reason that the next one will meet as well, or that
    /// anything failed since the file is damaged. Other failures are their callers' own.
    pub fn note(&self, error: &Error) {
        match error.kind() {
            Kind::StorageFull | Kind::StorageLost => self.set(error),
            Kind::StorageDamaged => self.set_damage(error),
            _ => {}
        }
    }

    fn set(&self, error: &Error) {
        let told = Told {
            kind: error.kind(),
            message: error.message().to_owned(),
        };
        let mut now = self.told.lock();
        if now.as_ref().is_some_and(|now| now.kind == told.kind) {
            return;
        }
        match told.kind {
            Kind::StorageFull => tracing::error!(
                message_id = alert::DATABASE_FULL,
                context = error.context(),
                "the disk is full: nothing can be written until there is room"
            ),
            _ => tracing::error!(context = error.context(), "{}", told.message),
        }
        *now = Some(told);
    }

    fn set_damage(&self, error: &Error) {
        if self.damage.set(error.message().to_owned()).is_ok() {
            tracing::error!(context = error.context(), "{}", error.message());
        }
    }

    /// Notes that writes go through again.
    pub fn clear(&self) {
        if self.told.lock().take().is_some() {
            tracing::info!("the database takes writes again");
        }
    }

    /// Why nothing can be written now, in words for people.
    pub fn now(&self) -> Option<String> {
        self.told.lock().as_ref().map(|told| told.message.clone())
    }

    /// Why something cannot be read, in words for people.
    pub fn damage(&self) -> Option<String> {
        self.damage.get().cloned()
    }
}

/// Fails when the disk below a folder has no room to speak of: asked by taking some and
/// giving it back.
pub(super) fn check_room(folder: &Path) -> Result<()> {
    let name = format!(".room-{}", uuid::Uuid::now_v7());
    let path = folder.join(name);
    let mut options = OpenOptions::new();
    let taken = options
        .write(true)
        .create_new(true)
        .open(&path)
        .map_err(|error| error.raw_os_error().map_or(Errno::EIO, Errno::from_raw))
        .and_then(|file| posix_fallocate(&file, 0, ROOM));
    // Where it was not made, there is nothing to remove.
    let _ = std::fs::remove_file(&path);
    match taken {
        // Not every file system can say beforehand.
        Ok(()) | Err(Errno::EOPNOTSUPP | Errno::EINVAL) => Ok(()),
        Err(error @ (Errno::ENOSPC | Errno::EDQUOT)) => {
            Err(full(format_args!("taking room: {error}")))
        }
        Err(error) => Err(Error::internal(format_args!("{}: {error}", path.display()))),
    }
}

/// Nothing can be written for want of room.
pub(super) fn full(context: impl std::fmt::Display) -> Error {
    Error::new(Kind::StorageFull, "The disk is full; nothing was written.").while_doing(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_taken_and_given_back() {
        let dir = tempfile::tempdir().unwrap();
        check_room(dir.path()).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        assert!(check_room(&dir.path().join("nowhere")).is_err());
    }

    #[test]
    fn only_what_concerns_everybody_is_noted() {
        let trouble = Trouble::default();
        trouble.note(&Error::not_found("Flow"));
        assert_eq!(trouble.now(), None);
        trouble.note(&full("a test"));
        assert!(trouble.now().unwrap().contains("disk is full"));
        trouble.clear();
        assert_eq!(trouble.now(), None);
    }

    #[test]
    fn damage_stays_whatever_is_written() {
        let trouble = Trouble::default();
        trouble.note(&Error::new(Kind::StorageDamaged, "damaged"));
        trouble.clear();
        assert_eq!(trouble.damage().unwrap(), "damaged");
        assert_eq!(trouble.now(), None);
    }
}

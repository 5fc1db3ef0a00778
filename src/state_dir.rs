//! The state directory: what lies where in it, and who holds it.
//!
//! A daemon holds it while it lives; `prefectctl restore` holds it while it puts a backup in
//! its place. Whoever comes second is told who was first.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use nix::fcntl::{Flock, FlockArg, OFlag};

use crate::domain::checkup::Check;

/// Below this much free space in bytes it is a matter of minutes.
const LEAST_ROOM: u64 = 100 * 1024 * 1024;
/// Below this much somebody should look.
const LITTLE_ROOM: u64 = 1024 * 1024 * 1024;

/// Fails where a name that is ours turns out to be a symbolic link: whoever may write to the
/// folder would have us write wherever the link points.
pub const NO_LINKS: i32 = OFlag::O_NOFOLLOW.bits();

/// Holds the directory until it is dropped, or the process ends in whatever way.
pub type Lock = Flock<File>;

/// The database in a state directory.
pub fn database(state_dir: &Path) -> PathBuf {
    state_dir.join("prefectd.db")
}

/// The folder of documents in a state directory.
pub fn blobs(state_dir: &Path) -> PathBuf {
    state_dir.join("blobs")
}

/// The folder of Prefect's own UI in a state directory, where that is installed.
pub fn ui(state_dir: &Path) -> PathBuf {
    state_dir.join("ui")
}

/// The file whose lock tells who holds a state directory.
pub fn lock_file(state_dir: &Path) -> PathBuf {
    state_dir.join("prefectd.lock")
}

/// Whether the directory is the daemon's and nobody else's, and whether the disk below it has
/// room. For `prefectctl doctor`.
pub fn examine(state_dir: &Path) -> Vec<Check> {
    vec![permissions(state_dir), disk(state_dir)]
}

fn permissions(state_dir: &Path) -> Check {
    const NAME: &str = "state directory";
    let shown = state_dir.display();
    let found = match fs::metadata(state_dir) {
        Ok(found) => found,
        Err(error) => {
            return Check::fail(
                NAME,
                format!("{shown}: {error}"),
                "the daemon makes it when it starts; doctor must be allowed to see it (sudo?)",
            );
        }
    };
    let database = fs::metadata(database(state_dir));
    let stranger = database.is_ok_and(|database| database.uid() != found.uid());
    let mode = found.mode() & 0o777;
    if stranger {
        return Check::fail(
            NAME,
            format!("{shown} and the database in it belong to different users"),
            format!("give all to the daemon's user: `chown -R --reference={shown} {shown}`"),
        );
    }
    if mode & 0o077 != 0 {
        return Check::warn(
            NAME,
            format!("{shown} has mode {mode:03o}: others see what runs were given"),
            format!("`chmod 700 {shown}`"),
        );
    }
    Check::ok(NAME, format!("{shown}, mode {mode:03o}"))
}

fn disk(state_dir: &Path) -> Check {
    const NAME: &str = "disk";
    let room = match nix::sys::statvfs::statvfs(state_dir) {
        Ok(disk) => disk.blocks_available() * disk.fragment_size(),
        Err(error) => return Check::skip(NAME, error.desc()),
    };
    let database = fs::metadata(database(state_dir)).map_or(0, |database| database.len());
    let mib = |bytes: u64| bytes / 1024 / 1024;
    let found = format!(
        "{} MiB free, the database takes {} MiB",
        mib(room),
        mib(database)
    );
    if room < LEAST_ROOM {
        return Check::fail(NAME, found, "make room; without it every write fails");
    }
    if room < LITTLE_ROOM || room < database {
        return Check::warn(
            NAME,
            found,
            "make room soon; a backup needs as much as the database takes",
        );
    }
    Check::ok(NAME, found)
}

/// Writes a small file of the directory's own, mode 0600 where it is new.
pub fn write_own(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .custom_flags(NO_LINKS)
        .open(path)?;
    file.write_all(text.as_bytes())
}

/// Takes the directory, creating it when it is not there. Fails, naming the holder, when
/// somebody else has it.
pub fn take(state_dir: &Path) -> anyhow::Result<Lock> {
    // Flow runners' settings may hold secrets, so the directory is nobody else's.
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(state_dir)
        .with_context(|| format!("cannot create the state directory {}", state_dir.display()))?;
    let path = lock_file(state_dir);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .custom_flags(NO_LINKS)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(mut lock) => {
            // On a full disk there is no room for the holder's name; the lock holds without.
            if let Err(error) = lock
                .set_len(0)
                .and_then(|()| write!(lock, "{}", std::process::id()))
            {
                tracing::debug!(%error, "the lock file does not name its holder");
            }
            Ok(lock)
        }
        Err((mut file, nix::errno::Errno::EWOULDBLOCK)) => {
            let mut holder = String::new();
            file.read_to_string(&mut holder)?;
            bail!(
                "the state directory {} is held by another prefectd (process {}); stop that one \
                 or give another --state-dir",
                state_dir.display(),
                holder.trim()
            );
        }
        Err((_, error)) => bail!("cannot lock {}: {error}", path.display()),
    }
}

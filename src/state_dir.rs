//! The state directory: what lies where in it, and who holds it.
//!
//! A daemon holds it while it lives; `prefectctl restore` holds it while it puts a backup in
//! its place. Whoever comes second is told who was first.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use nix::fcntl::{Flock, FlockArg};

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

/// The file whose lock tells who holds a state directory.
pub fn lock_file(state_dir: &Path) -> PathBuf {
    state_dir.join("prefectd.lock")
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
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(mut lock) => {
            lock.set_len(0)?;
            write!(lock, "{}", std::process::id())?;
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

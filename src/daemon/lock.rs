//! One daemon a state directory.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use anyhow::{Context, bail};
use nix::fcntl::{Flock, FlockArg};

/// Holds the directory until it is dropped, or the process ends in whatever way.
pub(super) type Lock = Flock<File>;

/// Takes the directory, creating it when it is not there. Fails, naming the holder, when
/// another daemon has it.
pub(super) fn take(state_dir: &Path) -> anyhow::Result<Lock> {
    // Flow runners' settings may hold secrets, so the directory is nobody else's.
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(state_dir)
        .with_context(|| format!("cannot create the state directory {}", state_dir.display()))?;
    let path = state_dir.join("prefectd.lock");
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

//! An agent's own folder: its name, its identity, and one process at a time.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};

use crate::cli::failure::{Failure, Result};
use crate::domain::agent::EMBEDDED;
use crate::state_dir::{NO_LINKS, write_own};

/// The longest name.
const LONGEST: usize = 64;

/// A folder that this process holds until it ends.
pub(super) struct AgentFolder {
    /// The agent's name.
    pub name: String,
    /// Stays the same from start to start.
    pub identity: String,
    /// Where it keeps its files.
    pub path: PathBuf,
    _lock: Flock<File>,
}

/// Takes the folder of an agent; none when another process has it.
pub(super) fn take(base: &Path, name: &str) -> Result<Option<AgentFolder>> {
    check(name)?;
    let folder = base.join(name);
    let told = |error: std::io::Error| {
        let folder = folder.display();
        Failure::new(format!(
            "cannot use {folder}: {error}; give another --state-dir"
        ))
    };
    // Flow runners' settings may hold secrets, so the folder is nobody else's.
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder);
    made.map_err(told)?;
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .custom_flags(NO_LINKS)
        .open(folder.join("agent.lock"))
        .map_err(told)?;
    let Ok(mut lock) = Flock::lock(lock, FlockArg::LockExclusiveNonblock) else {
        return Ok(None);
    };
    let known = fs::read_to_string(folder.join("identity")).unwrap_or_default();
    let identity = match known.trim() {
        "" => {
            let fresh = uuid::Uuid::new_v4().to_string();
            write_own(&folder.join("identity"), &fresh).map_err(told)?;
            fresh
        }
        known => known.to_owned(),
    };
    lock.set_len(0).map_err(told)?;
    write!(lock, "{}", std::process::id()).map_err(told)?;
    Ok(Some(AgentFolder {
        name: name.to_owned(),
        identity,
        path: folder,
        _lock: lock,
    }))
}

fn check(name: &str) -> Result<()> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let fine = !name.is_empty() && name.len() <= LONGEST && name.chars().all(allowed);
    if !fine || name.starts_with('.') {
        return Err(Failure::usage(format!(
            "{name:?} is no name for an agent; use up to {LONGEST} letters, digits, '-', '_' and '.'"
        )));
    }
    if name == EMBEDDED {
        let line = format!("{EMBEDDED:?} is the name of the daemon's own agent; choose another");
        return Err(Failure::usage(line));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_one_process_s_and_its_identity_stays() {
        let base = tempfile::tempdir().unwrap();
        let first = take(base.path(), "a").unwrap().unwrap();
        assert!(take(base.path(), "a").unwrap().is_none());
        let identity = first.identity.clone();
        drop(first);
        assert_eq!(take(base.path(), "a").unwrap().unwrap().identity, identity);
    }

    #[test]
    fn names_that_would_not_do_are_refused() {
        let base = tempfile::tempdir().unwrap();
        for name in ["", "a/b", "..", "embedded", &"x".repeat(65)] {
            assert!(
                take(base.path(), name).is_err_and(|e| e.is_usage()),
                "{name}"
            );
        }
    }
}

//! Unix sockets that are ours alone from their first moment.

use std::io::ErrorKind;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Context, bail};
use nix::sys::stat::{Mode, umask};
use tokio::net::UnixListener;

/// Who may connect to a socket.
#[derive(Clone, Copy, Debug)]
pub(super) enum For {
    /// Its owner and its group: mode 0660.
    Group,
    /// Its owner: mode 0600.
    Owner,
}

impl For {
    /// What is taken off the mode 0777 with which the kernel makes a socket.
    fn mask(self) -> Mode {
        let others = Mode::S_IXUSR | Mode::S_IXGRP | Mode::S_IRWXO;
        match self {
            For::Group => others,
            For::Owner => others | Mode::S_IRWXG,
        }
    }
}

/// Binds a socket at `path`, creating its folder where that is missing. A socket that nobody
/// answers is replaced. Fails where somebody answers, and where anything else is in the way,
/// which stays as it is.
pub(super) fn bind(path: &Path, whom: For) -> anyhow::Result<UnixListener> {
    let shown = path.display();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    clear(path)?;
    // The mode holds from the start: a change of it afterwards would leave a moment in which
    // anybody could connect. A mask is the whole process's, so that a file which another thread
    // makes meanwhile is at worst more private than usual.
    let usual = umask(whom.mask());
    let bound = UnixListener::bind(path);
    umask(usual);
    bound.with_context(|| format!("cannot bind {shown}"))
}

/// Removes a socket that nobody answers, as a daemon that was killed leaves it. Fails where
/// anything else is in the way, which stays.
pub(super) fn clear(path: &Path) -> anyhow::Result<()> {
    let shown = path.display();
    let found = match std::fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("cannot look at {shown}")),
    };
    if !found.file_type().is_socket() {
        bail!("{shown} is there and is no socket; move it away, or give another --socket");
    }
    match UnixStream::connect(path) {
        Ok(_) => bail!("the socket {shown} is served by another process; give another --socket"),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path).with_context(|| format!("cannot replace {shown}"))
        }
        Err(error) => Err(error).with_context(|| {
            format!("cannot tell whether the socket {shown} is served; give another --socket")
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn a_socket_has_its_mode_whatever_the_mask_was() {
        let dir = tempfile::tempdir().unwrap();
        for (name, whom, mode) in [("a", For::Group, 0o660), ("b", For::Owner, 0o600)] {
            let path = dir.path().join("new").join(name);
            let _listener = bind(&path, whom).unwrap();
            let found = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(found & 0o777, mode);
        }
    }

    #[tokio::test]
    async fn only_a_socket_that_nobody_answers_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let first = bind(&path, For::Owner).unwrap();
        let told = bind(&path, For::Owner).unwrap_err().to_string();
        assert!(told.contains("another process"), "{told}");
        drop(first);
        let _second = bind(&path, For::Owner).unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "kept").unwrap();
        let dangling = dir.path().join("dangling");
        std::os::unix::fs::symlink(dir.path().join("nowhere"), &dangling).unwrap();
        for wrong in [&link, &file, &dangling, &dir.path().to_owned()] {
            let told = bind(wrong, For::Owner).unwrap_err().to_string();
            assert!(told.contains("is no socket"), "{told}");
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "kept");
        assert!(std::fs::symlink_metadata(&link).is_ok() && !dir.path().join("nowhere").exists());
    }
}

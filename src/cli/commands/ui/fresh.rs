//! The copy of Prefect's own UI that is being made. It lies beside the one that is served, and
//! takes its place in one step, so that none that is half-written is ever served.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};
use rustix::fs::{CWD, RenameFlags, renameat_with, syncfs};
use serde_json::json;

use crate::cli::failure::{Failure, Result};
use crate::state_dir::{self, NO_LINKS, write_own};

/// The folders of the package, and those of the copy.
const FOLDERS: [(&str, &str); 2] = [("server/ui/", "v1"), ("server/ui-v2/", "v2")];
/// The page that each begins with.
const BEGINNING: &str = "index.html";
/// The most files.
const MOST_FILES: u64 = 5000;
/// The largest file, in bytes.
const LARGEST: u64 = 32 * 1024 * 1024;
/// The most bytes of all files together.
const MOST_BYTES: u64 = 256 * 1024 * 1024;
/// The longest path, in bytes.
const LONGEST_PATH: usize = 300;

/// The copy; removed with this unless it was installed.
pub struct Fresh {
    folder: PathBuf,
    served: PathBuf,
    files: u64,
    bytes: u64,
    _lock: Flock<File>,
}

/// What was installed.
pub struct Installed {
    /// How many files.
    pub files: u64,
    /// How many bytes they have.
    pub bytes: u64,
}

/// The folder of the copy that a file of the package goes to, and its path in there; `None` for
/// all that is not the UI's.
pub fn folder_of(inside: &str) -> Option<(&'static str, &str)> {
    let mut all = FOLDERS.into_iter();
    all.find_map(|(from, to)| Some((to, inside.strip_prefix(from)?)))
}

/// Whether a path has only plain names, so that it leads nowhere else.
fn is_plain(path: &str) -> bool {
    let is_fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let is_name =
        |name: &str| !name.is_empty() && !name.starts_with('.') && name.chars().all(is_fit);
    path.len() <= LONGEST_PATH && path.split('/').all(is_name)
}

impl Fresh {
    /// An empty one, in a state directory.
    pub fn within(state_dir: &Path) -> Result<Self> {
        let served = state_dir::ui(state_dir);
        let lock = lock(&served)?;
        let folder = beside(&served, ".new");
        clear(&folder)?;
        DirBuilder::new()
            .mode(0o700)
            .create(&folder)
            .map_err(|error| told(&folder, &error))?;
        Ok(Self {
            folder,
            served,
            files: 0,
            bytes: 0,
            _lock: lock,
        })
    }

    /// Takes a file of the package if it is the UI's.
    pub fn take(&mut self, inside: &str, content: &mut impl Read) -> Result<()> {
        let Some((folder, path)) = folder_of(inside) else {
            return Ok(());
        };
        if !is_plain(path) {
            return Err(Failure::new(format!("no file of the UI is named {path:?}")));
        }
        self.files += 1;
        let place = self.folder.join(folder).join(path);
        let failed = |error: io::Error| told(&place, &error);
        let around = place.parent().unwrap_or(&self.folder);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(around)
            .map_err(failed)?;
        // It fails where there is one of that name already.
        let new = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(NO_LINKS)
            .open(&place);
        let written = io::copy(&mut content.take(LARGEST + 1), &mut new.map_err(failed)?);
        let written = written.map_err(failed)?;
        self.bytes += written;
        match written > LARGEST || self.bytes > MOST_BYTES || self.files > MOST_FILES {
            true => Err(Failure::new(
                "there is more of it than there can be of a UI",
            )),
            false => Ok(()),
        }
    }

    /// Has it be the one that is served.
    pub fn install(self, version: &str) -> Result<Installed> {
        let has = |folder: &str| self.folder.join(folder).join(BEGINNING).is_file();
        let there: Vec<_> = FOLDERS
            .iter()
            .map(|(_, to)| *to)
            .filter(|to| has(to))
            .collect();
        if there.is_empty() {
            return Err(Failure::new(format!(
                "prefect {version} brings no UI that can be served; those since 2.8 do"
            )));
        }
        let failed = |error: io::Error| told(&self.folder, &error);
        let manifest = json!({ "prefect": version, "bundles": there }).to_string();
        write_own(&self.folder.join("bundle.json"), &manifest).map_err(failed)?;
        give_to_owner(&self.folder).map_err(failed)?;
        // What has taken the place has all its content, whenever the power fails.
        syncfs(File::open(&self.folder).map_err(failed)?).map_err(|error| failed(error.into()))?;
        let flags = match self.served.exists() {
            true => RenameFlags::EXCHANGE,
            false => RenameFlags::NOREPLACE,
        };
        renameat_with(
            CWD,
            self.folder.as_path(),
            CWD,
            self.served.as_path(),
            flags,
        )
        .map_err(|error| failed(error.into()))?;
        Ok(Installed {
            files: self.files,
            bytes: self.bytes,
        })
    }

    /// Removes the one that is served.
    pub fn remove(served: &Path) -> Result<()> {
        let _lock = lock(served)?;
        let gone = beside(served, ".old");
        clear(&gone)?;
        match fs::rename(served, &gone) {
            Ok(()) => clear(&gone),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(Failure::new("Prefect's own UI is not installed"))
            }
            Err(error) => Err(told(served, &error)),
        }
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        // After an exchange it is the one before; what stays is removed by the next.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn told(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("{}: {error}", path.display()))
}

fn beside(served: &Path, end: &str) -> PathBuf {
    let mut name = served.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// One at a time.
fn lock(served: &Path) -> Result<Flock<File>> {
    let path = beside(served, ".lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(NO_LINKS)
        .open(&path);
    let file = file.map_err(|error| told(&path, &error))?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock)
        .map_err(|_| Failure::new("Prefect's own UI is being installed or removed already"))
}

fn clear(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(told(folder, &error)),
        _ => Ok(()),
    }
}

/// Gives the copy to the state directory's owner, when it is root who installs it.
fn give_to_owner(folder: &Path) -> io::Result<()> {
    if !nix::unistd::geteuid().is_root() {
        return Ok(());
    }
    let owner = fs::metadata(folder.parent().unwrap_or(folder))?;
    give(folder, owner.uid(), owner.gid())
}

fn give(path: &Path, uid: u32, gid: u32) -> io::Result<()> {
    chown(path, Some(uid), Some(gid))?;
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            give(&entry?.path(), uid, gid)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_taken_and_only_so_much() {
        for (inside, is_taken) in [
            ("server/ui/assets/index-Bny_92F-.js", true),
            ("server/ui-v2/index.html", true),
            ("server/ui/../../../etc/passwd", false),
            ("server/ui//etc/passwd", false),
            ("server/ui/.hidden", false),
            ("server/ui/a\\b", false),
            ("server/ui/", false),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let mut fresh = Fresh::within(dir.path()).unwrap();
            assert_eq!(
                fresh.take(inside, &mut &b"x"[..]).is_ok(),
                is_taken,
                "{inside}"
            );
        }
        let dir = tempfile::tempdir().unwrap();
        let mut fresh = Fresh::within(dir.path()).unwrap();
        fresh.take("server/api.py", &mut &b"x"[..]).unwrap();
        assert_eq!(fresh.files, 0);
        fresh.take("server/ui/a", &mut &b"x"[..]).unwrap();
        assert!(fresh.take("server/ui/a", &mut &b"x"[..]).is_err());
        assert!(fresh.take("server/ui/b", &mut io::repeat(0)).is_err());
        // Without a page it is none.
        assert!(fresh.install("3.9.1").is_err());
        assert!(!state_dir::ui(dir.path()).exists());
    }

    #[test]
    fn one_takes_the_place_of_another_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let ui = state_dir::ui(dir.path());
        for version in ["3.9.0", "3.9.1"] {
            let mut fresh = Fresh::within(dir.path()).unwrap();
            fresh
                .take("server/ui/index.html", &mut version.as_bytes())
                .unwrap();
            assert!(Fresh::within(dir.path()).is_err());
            assert_eq!(fresh.install(version).unwrap().files, 1);
            let page = fs::read_to_string(ui.join("v1/index.html")).unwrap();
            assert_eq!(page, version);
            assert!(!beside(&ui, ".new").exists());
        }
        Fresh::remove(&ui).unwrap();
        assert!(!ui.exists() && Fresh::remove(&ui).is_err());
    }
}

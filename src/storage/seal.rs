//! Seals what is secret, with a key that lies beside the database and not in it.
//!
//! The key is the systemd credential `block-key`, of any content, or else 32 random bytes in the
//! file `block.key` of the state directory, which is made when it is first needed and is the
//! daemon's alone. A backup does not hold it: whoever has a backup alone has no secrets.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};

use crate::domain::error::{Error, Kind, Result};

/// The credential's name.
const CREDENTIAL: &str = "block-key";
/// The file's name.
const FILE: &str = "block.key";
/// The most bytes of a credential that are read.
const LONGEST: u64 = 64 * 1024;

/// Seals and opens.
pub struct Seal {
    key: LessSafeKey,
    random: SystemRandom,
}

impl Seal {
    /// With the key of a state directory, which is made where there is none.
    ///
    /// # Errors
    /// [`Kind::Internal`] where it cannot be read or made, or others may read it.
    pub fn of_folder(folder: &Path) -> Result<Self> {
        let key = match credential() {
            Some(path) => Sha256::digest(read(&path)?).to_vec(),
            None => of_file(&folder.join(FILE))?,
        };
        let key = UnboundKey::new(&AES_256_GCM, &key);
        let key = key.map_err(|_| Error::internal("the key of blocks has not 32 bytes"))?;
        Ok(Self {
            key: LessSafeKey::new(key),
            random: SystemRandom::new(),
        })
    }

    /// Seals a text that belongs to something, so that it opens nowhere else.
    pub fn seal(&self, text: &[u8], of: &[u8]) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        let broken = |_| Error::internal("sealing failed");
        self.random.fill(&mut nonce).map_err(broken)?;
        let mut sealed = text.to_vec();
        let unique = Nonce::assume_unique_for_key(nonce);
        self.key
            .seal_in_place_append_tag(unique, Aad::from(of), &mut sealed)
            .map_err(broken)?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// What was sealed.
    ///
    /// # Errors
    /// [`Kind::Conflict`] where it was sealed with another key.
    pub fn open(&self, sealed: &[u8], of: &[u8]) -> Result<Vec<u8>> {
        let other_key = || {
            Error::new(
                Kind::Conflict,
                "The secrets of this block were sealed with another key. The daemon needs the key \
                 of then: the credential block-key, or block.key in its state directory.",
            )
        };
        let parts = sealed.split_first_chunk::<NONCE_LEN>();
        let (nonce, sealed) = parts.ok_or_else(other_key)?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let mut text = sealed.to_vec();
        let opened = self.key.open_in_place(nonce, Aad::from(of), &mut text);
        let length = opened.map_err(|_| other_key())?.len();
        text.truncate(length);
        Ok(text)
    }
}

/// The file of the credential, where the process has been given one.
fn credential() -> Option<PathBuf> {
    let folder = std::env::var_os("CREDENTIALS_DIRECTORY")?;
    let path = Path::new(&folder).join(CREDENTIAL);
    path.is_file().then_some(path)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LONGEST).read_to_end(&mut bytes))
        .map_err(|error| trouble(path, &error))?;
    Ok(bytes)
}

fn trouble(path: &Path, error: &std::io::Error) -> Error {
    Error::internal(format_args!(
        "the key of blocks, {}: {error}",
        path.display()
    ))
}

fn of_file(path: &Path) -> Result<Vec<u8>> {
    match make(path) {
        Ok(key) => Ok(key),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let found = fs::symlink_metadata(path).map_err(|error| trouble(path, &error))?;
            if !found.is_file() || found.mode() & 0o077 != 0 {
                let words = format!(
                    "{} is no file of the daemon's alone: `chmod 600` it",
                    path.display()
                );
                return Err(Error::internal(words));
            }
            read(path)
        }
        Err(error) => Err(trouble(path, &error)),
    }
}

/// A new key. It has its name once it is whole and on the disk.
fn make(path: &Path) -> std::io::Result<Vec<u8>> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    let mut key = vec![0; 32];
    let random = SystemRandom::new().fill(&mut key);
    random.map_err(|_| std::io::Error::other("no randomness"))?;
    let unfinished = path.with_extension("key.part");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(&unfinished)?;
    file.write_all(&key)?;
    file.sync_all()?;
    // Fails where somebody was first.
    let linked = fs::hard_link(&unfinished, path);
    fs::remove_file(&unfinished)?;
    linked?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_sealed_opens_with_its_key_and_where_it_belongs() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let seal = Seal::of_folder(one.path()).unwrap();
        let sealed = seal.seal(b"secret", b"a").unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_ne!(seal.seal(b"secret", b"a").unwrap(), sealed);
        let again = Seal::of_folder(one.path()).unwrap();
        assert_eq!(again.open(&sealed, b"a").unwrap(), b"secret");
        let stranger = Seal::of_folder(other.path()).unwrap();
        for (seal, sealed, of) in [
            (&again, &sealed[..], &b"b"[..]),
            (&stranger, &sealed[..], b"a"),
            (&again, &sealed[..5], b"a"),
        ] {
            let refused = seal.open(sealed, of).unwrap_err();
            assert_eq!(refused.kind(), Kind::Conflict);
        }
    }

    #[test]
    fn the_key_is_the_daemons_alone() {
        let dir = tempfile::tempdir().unwrap();
        Seal::of_folder(dir.path()).unwrap();
        let path = dir.path().join(FILE);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(Seal::of_folder(dir.path()).is_err());
    }
}

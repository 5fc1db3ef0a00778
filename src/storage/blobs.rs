//! Documents by the hash of their content, each a file of its own.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::domain::error::{Error, Kind, Result};

/// A document's name: the SHA-256 of its bytes. Nothing else can be asked for, so no path
/// that a client writes ever reaches the file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobId([u8; 32]);

impl BlobId {
    /// The name of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for BlobId {
    type Err = Error;

    /// Accepts exactly 64 lower-case hexadecimal digits.
    fn from_str(text: &str) -> Result<Self> {
        let invalid = || Error::invalid("This is not the name of a stored document.");
        let digits = text.as_bytes();
        if digits.len() != 64
            || !digits
                .iter()
                .all(|d| matches!(d, b'0'..=b'9' | b'a'..=b'f'))
        {
            return Err(invalid());
        }
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| invalid())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| invalid())?;
        }
        Ok(Self(hash))
    }
}

/// The folder of documents.
#[derive(Clone, Debug)]
pub struct Blobs {
    folder: PathBuf,
}

impl Blobs {
    /// Opens the folder, creating it when it is not there.
    pub fn open(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).map_err(|error| failed("creating", folder, &error))?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// Stores the bytes; once this answers, they survive power loss.
    pub async fn put(&self, bytes: Vec<u8>) -> Result<BlobId> {
        let folder = self.folder.clone();
        in_background(move || {
            let id = BlobId::of(&bytes);
            let path = folder.join(id.to_string());
            if !path.exists() {
                write_whole(&folder, &path, &bytes)
                    .map_err(|error| failed("writing", &path, &error))?;
            }
            Ok(id)
        })
        .await
    }

    /// The bytes of that name.
    pub async fn get(&self, id: BlobId) -> Result<Vec<u8>> {
        let path = self.folder.join(id.to_string());
        in_background(move || match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(Error::not_found("Document"))
            }
            read => read.map_err(|error| failed("reading", &path, &error)),
        })
        .await
    }
}

/// Writes beside the place and renames, so that a document is there whole or not at all.
fn write_whole(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = folder.join(format!(".{}", uuid::Uuid::now_v7()));
    let written = File::create(&draft)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&draft, path))
        .and_then(|()| File::open(folder)?.sync_all());
    if written.is_err() {
        // The draft may never have come to be; either way it is gone now.
        let _ = fs::remove_file(&draft);
    }
    written
}

async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::internal(format_args!("document work: {error}")))?
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Error {
    let context = format!("{what} {}: {error}", path.display());
    match error.kind() {
        io::ErrorKind::StorageFull => {
            Error::new(Kind::StorageFull, "The disk is full; nothing was written.")
                .while_doing(context)
        }
        _ => Error::internal(context),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_put_is_got_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap();
        let id = blobs.put(b"flow code".to_vec()).await.unwrap();
        assert_eq!(blobs.put(b"flow code".to_vec()).await.unwrap(), id);
        let id: BlobId = id.to_string().parse().unwrap();
        assert_eq!(blobs.get(id).await.unwrap(), b"flow code");
        let other = blobs.get(BlobId::of(b"other")).await.unwrap_err();
        assert_eq!(other.kind(), Kind::NotFound);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn only_a_hash_is_a_name() {
        for text in [
            "",
            "/etc/passwd",
            "../../etc/passwd",
            &"g".repeat(64),
            &"A".repeat(64),
        ] {
            assert!(text.parse::<BlobId>().is_err(), "{text}");
        }
    }
}

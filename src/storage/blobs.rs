//! Documents by the hash of their content, each a file of its own.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::domain::document::DocumentId;
use crate::domain::error::{Error, Kind, Result};

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

    /// Where the document of that name lies, or would.
    pub(super) fn path(&self, id: DocumentId) -> PathBuf {
        self.folder.join(id.to_string())
    }

    /// The names of all documents.
    pub(super) fn all(&self) -> Result<Vec<DocumentId>> {
        let listed = fs::read_dir(&self.folder).and_then(|entries| {
            let names = entries.map(|entry| Ok(entry?.file_name()));
            names.collect::<io::Result<Vec<_>>>()
        });
        let names = listed.map_err(|error| failed("listing", &self.folder, &error))?;
        // Documents that are still being written have other names.
        let ids = names.iter().filter_map(|name| name.to_str()?.parse().ok());
        Ok(ids.collect())
    }

    /// Stores the bytes; once this answers, they survive power loss.
    pub async fn put(&self, bytes: Vec<u8>) -> Result<DocumentId> {
        let folder = self.folder.clone();
        in_background(move || {
            let id = name_of(&bytes);
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
    pub async fn get(&self, id: DocumentId) -> Result<Vec<u8>> {
        let path = self.path(id);
        in_background(move || match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(Error::not_found("Document"))
            }
            read => read.map_err(|error| failed("reading", &path, &error)),
        })
        .await
    }
}

fn name_of(bytes: &[u8]) -> DocumentId {
    DocumentId::from_hash(Sha256::digest(bytes).into())
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
        let id: DocumentId = id.to_string().parse().unwrap();
        assert_eq!(blobs.get(id).await.unwrap(), b"flow code");
        let other = blobs.get(name_of(b"other")).await.unwrap_err();
        assert_eq!(other.kind(), Kind::NotFound);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}

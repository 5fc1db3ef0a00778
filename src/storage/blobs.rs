//! Documents by the hash of their content, each a file of its own.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::domain::document::DocumentId;
use crate::domain::error::{Error, Kind, Result};

/// How much of a document is in memory at once, in bytes.
pub const PIECE: usize = 256 * 1024;

/// The folder of documents.
#[derive(Clone, Debug)]
pub struct Blobs {
    folder: PathBuf,
    most: u64,
}

impl Blobs {
    /// Opens the folder, creating it when it is not there. What an earlier process did not
    /// finish is removed.
    pub fn open(folder: &Path) -> Result<Self> {
        let opened = fs::create_dir_all(folder)
            .and_then(|()| remove_drafts(folder))
            .and_then(|()| folder.canonicalize());
        let folder = opened.map_err(|error| failed("opening", folder, &error))?;
        let most = u64::MAX;
        Ok(Self { folder, most })
    }

    /// The same, where documents have at most so many bytes.
    pub fn at_most(self, most: u64) -> Self {
        Self { most, ..self }
    }

    /// Where the document of that name lies, or would; absolute.
    pub fn path(&self, id: DocumentId) -> PathBuf {
        self.folder.join(id.to_string())
    }

    /// A document that comes piece by piece.
    pub fn begin(&self) -> Draft {
        Draft {
            blobs: self.clone(),
            buffer: Vec::new(),
            length: 0,
            written: None,
        }
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
            let written = match path.exists() {
                // Whoever stored it may not have come to this yet.
                true => sync_folder(&folder),
                false => write_whole(&folder, &path, &bytes),
            };
            written.map_err(|error| failed("writing", &path, &error))?;
            Ok(id)
        })
        .await
    }

    /// The document of that name, to be read.
    pub async fn get(&self, id: DocumentId) -> Result<Document> {
        let path = self.path(id);
        in_background(move || {
            let opened = File::open(&path).and_then(|file| {
                let length = file.metadata()?.len();
                Ok(Document { file, length })
            });
            match opened {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    Err(Error::not_found("Document"))
                }
                opened => opened.map_err(|error| failed("reading", &path, &error)),
            }
        })
        .await
    }
}

/// A stored document, opened.
#[derive(Debug)]
pub struct Document {
    file: File,
    /// How many bytes it has.
    pub length: u64,
}

impl Document {
    /// The next piece of it, and the rest; nothing at its end.
    pub async fn next(mut self) -> Result<Option<(Vec<u8>, Self)>> {
        in_background(move || {
            let mut piece = Vec::new();
            let mut next = (&mut self.file).take(PIECE as u64);
            let read = next.read_to_end(&mut piece);
            read.map_err(|error| Error::internal(format_args!("reading a document: {error}")))?;
            Ok((!piece.is_empty()).then_some((piece, self)))
        })
        .await
    }
}

/// A document that is being stored. What is not finished is not kept.
#[derive(Debug)]
pub struct Draft {
    blobs: Blobs,
    buffer: Vec<u8>,
    length: u64,
    /// Once it is larger than the buffer.
    written: Option<Written>,
}

impl Draft {
    /// Adds bytes. Fails when that makes the document larger than documents may be.
    pub async fn add(&mut self, bytes: &[u8]) -> Result<()> {
        self.length += bytes.len() as u64;
        if self.length > self.blobs.most {
            return Err(too_large(self.blobs.most));
        }
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PIECE {
            self.flush().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        let buffer = std::mem::take(&mut self.buffer);
        let (folder, written) = (self.blobs.folder.clone(), self.written.take());
        let written = in_background(move || {
            let more = match written {
                Some(written) => Ok(written),
                None => Written::new(&folder),
            };
            let more = more.and_then(|mut written| {
                written.file.write_all(&buffer)?;
                written.hash.update(&buffer);
                Ok(written)
            });
            more.map_err(|error| failed("writing to", &folder, &error))
        });
        self.written = Some(written.await?);
        Ok(())
    }

    /// Stores it; once this answers, it survives power loss.
    pub async fn finish(mut self) -> Result<DocumentId> {
        if self.written.is_none() {
            return self.blobs.put(self.buffer).await;
        }
        self.flush().await?;
        let (folder, written) = (self.blobs.folder.clone(), self.written.take());
        in_background(move || {
            let Some(mut written) = written else {
                return Err(Error::internal("a document without bytes"));
            };
            let id = DocumentId::from_hash(std::mem::take(&mut written.hash).finalize().into());
            let path = folder.join(id.to_string());
            let stored = written
                .file
                .sync_all()
                .and_then(|()| fs::rename(&written.path, &path))
                .and_then(|()| sync_folder(&folder));
            stored.map_err(|error| failed("writing", &path, &error))?;
            Ok(id)
        })
        .await
    }
}

/// The part of a draft that is on disk; removed when it is dropped before it has its name.
#[derive(Debug)]
struct Written {
    path: PathBuf,
    file: File,
    hash: Sha256,
}

impl Written {
    fn new(folder: &Path) -> io::Result<Self> {
        let path = draft_path(folder);
        let file = File::create_new(&path)?;
        let hash = Sha256::new();
        Ok(Self { path, file, hash })
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        // It is not there any more when it has its name.
        let _ = fs::remove_file(&self.path);
    }
}

fn too_large(most: u64) -> Error {
    Error::new(
        Kind::TooLarge,
        format!("The document is larger than {most} bytes (server.document_max_bytes)."),
    )
}

fn draft_path(folder: &Path) -> PathBuf {
    folder.join(format!(".{}", uuid::Uuid::now_v7()))
}

fn remove_drafts(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") && entry.file_type()?.is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn name_of(bytes: &[u8]) -> DocumentId {
    DocumentId::from_hash(Sha256::digest(bytes).into())
}

/// Writes beside the place and renames, so that a document is there whole or not at all.
fn write_whole(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = draft_path(folder);
    let written = File::create(&draft)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&draft, path))
        .and_then(|()| sync_folder(folder));
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

    async fn read(blobs: &Blobs, id: DocumentId) -> Vec<u8> {
        let mut document = blobs.get(id).await.unwrap();
        let (length, mut bytes) = (document.length, Vec::new());
        while let Some((piece, rest)) = document.next().await.unwrap() {
            assert!(piece.len() <= PIECE);
            bytes.extend(piece);
            document = rest;
        }
        assert_eq!(bytes.len() as u64, length);
        bytes
    }

    #[tokio::test]
    async fn a_document_that_comes_in_pieces_has_the_name_of_its_content() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap();
        for size in [0, 1, PIECE, PIECE + 1, 3 * PIECE + 17] {
            let bytes: Vec<u8> = (0..size).map(|at| (at / 7) as u8).collect();
            let mut draft = blobs.begin();
            for piece in bytes.chunks(100_000) {
                draft.add(piece).await.unwrap();
            }
            let id = draft.finish().await.unwrap();
            assert_eq!(id, name_of(&bytes));
            assert!(read(&blobs, id).await == bytes, "{size}");
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 5);
    }

    #[tokio::test]
    async fn what_is_too_large_or_not_finished_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap().at_most(2 * PIECE as u64);
        let mut draft = blobs.begin();
        draft.add(&vec![1; 2 * PIECE]).await.unwrap();
        assert_eq!(draft.add(&[1]).await.unwrap_err().kind(), Kind::TooLarge);
        drop(draft);
        fs::write(dir.path().join(".left"), "by a process that was killed").unwrap();
        Blobs::open(dir.path()).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn what_is_put_is_got_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap();
        let id = blobs.put(b"flow code".to_vec()).await.unwrap();
        assert_eq!(blobs.put(b"flow code".to_vec()).await.unwrap(), id);
        let id: DocumentId = id.to_string().parse().unwrap();
        assert_eq!(read(&blobs, id).await, b"flow code");
        let other = blobs.get(name_of(b"other")).await.unwrap_err();
        assert_eq!(other.kind(), Kind::NotFound);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}

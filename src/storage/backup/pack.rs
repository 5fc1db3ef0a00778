//! Writes a backup.

use std::fs::File;
use std::io::{self, Read, Seek, Write};

use sha2::{Digest, Sha256};
use tar::{Builder, Header};

use super::seal::{DIGITS, Seal, Sealed, hex};
use super::{BLOBS, DATABASE, FORMAT, MANIFEST, Manifest, SEAL, Snapshot};
use crate::domain::document::DocumentId;
use crate::domain::error::{Error, Result};
use crate::domain::time::Timestamp;
use crate::storage::blobs::Blobs;

/// Writes the copy, made at `now`, and all documents to `out`.
pub fn pack(
    mut copy: Snapshot,
    blobs: &Blobs,
    now: Timestamp,
    out: impl Write,
) -> Result<Manifest> {
    let documents = blobs.all()?;
    let created = now.utc().unwrap_or_default();
    let manifest = Manifest {
        format: FORMAT,
        prefectd: env!("CARGO_PKG_VERSION").to_owned(),
        created: created.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        schema: copy.summary.schema,
        flow_runs: copy.summary.flow_runs,
        database_bytes: copy.bytes,
        database_sha256: Some(hash(&mut copy.file).map_err(unwritten)?),
        documents: documents.len() as u64,
    };
    let seal = Seal::default();
    let mut archive = Archive {
        tar: Builder::new(Sealed {
            inner: out,
            seal: seal.clone(),
        }),
        mtime: created.timestamp().unsigned_abs(),
    };
    let text = serde_json::to_vec_pretty(&manifest).map_err(Error::internal)?;
    archive.add(MANIFEST, text.len() as u64, text.as_slice())?;
    archive.add(DATABASE, copy.bytes, copy.file)?;
    for id in documents {
        archive.add_document(blobs, id)?;
    }
    archive.add(SEAL, DIGITS, seal.content())?;
    let mut out = archive.tar.into_inner().map_err(unwritten)?;
    out.flush().map_err(unwritten)?;
    Ok(manifest)
}

struct Archive<W: Write> {
    tar: Builder<W>,
    mtime: u64,
}

impl<W: Write> Archive<W> {
    fn add(&mut self, name: &str, bytes: u64, content: impl Read) -> Result<()> {
        let mut header = Header::new_gnu();
        header.set_size(bytes);
        header.set_mode(0o600);
        header.set_mtime(self.mtime);
        // The size was promised; a file that shrank meanwhile must not shift what follows.
        let exactly = content.take(bytes);
        self.tar
            .append_data(&mut header, name, exactly)
            .map_err(unwritten)
    }

    fn add_document(&mut self, blobs: &Blobs, id: DocumentId) -> Result<()> {
        let path = blobs.path(id);
        let opened = File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (bytes, file) = opened.map_err(|error| {
            Error::internal(format_args!("reading {}: {error}", path.display()))
        })?;
        self.add(&format!("{BLOBS}{id}"), bytes, file)
    }
}

/// Of the whole file, which is then at its start again.
fn hash(file: &mut File) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(file, &mut hash)?;
    file.rewind()?;
    Ok(hex(&hash.finalize()))
}

fn unwritten(error: std::io::Error) -> Error {
    Error::internal(format_args!("writing the backup: {error}"))
}

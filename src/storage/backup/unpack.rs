//! Reads a backup, and believes nothing of it that it has not checked.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rusqlite::Connection;
use sha2::{Digest, Sha256};
use tar::{Archive, Entry};

use super::super::{migrate, upkeep};
use super::seal::{DIGITS, Seal, Sealed, hex};
use super::{BLOBS, DATABASE, DatabaseSummary, FORMAT, MANIFEST, Manifest, SEAL, UNSEALED};
use crate::domain::document::DocumentId;
use crate::domain::error::{Error, Result};

/// The largest manifest that is read.
const MOST_MANIFEST: u64 = 64 * 1024;

/// Writes the database and the documents into `folder`, flushed to the disk, and checks all
/// of it. Fails when the archive is no backup, is cut off or damaged, or comes from a newer
/// version.
pub fn unpack(archive: impl Read, folder: &Path) -> Result<Manifest> {
    let seal = Seal::default();
    let mut archive = Archive::new(Sealed {
        inner: archive,
        seal: seal.clone(),
    });
    let mut entries = archive.entries().map_err(|error| damaged(&error))?;
    let manifest = match entries.next() {
        Some(Ok(entry)) => manifest(entry)?,
        _ => return Err(no_backup()),
    };
    let documents = folder.join(BLOBS);
    fs::create_dir_all(&documents).map_err(Error::internal)?;
    let (mut database_bytes, mut count) = (None, 0);
    let mut database_hash = Sha256::new();
    let mut is_unbroken = !manifest.is_sealed();
    for entry in entries {
        let mut entry = entry.map_err(|error| damaged(&error))?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if name == DATABASE && database_bytes.is_none() {
            let path = folder.join(DATABASE);
            database_bytes = Some(write(&mut entry, &path, &mut database_hash)?);
        } else if let Some(id) = document_of(&name) {
            document(&mut entry, &documents, id)?;
            count += 1;
        } else if name == SEAL && manifest.is_sealed() {
            let (expected, mut digits) = (seal.digits(), String::new());
            let read = entry.take(DIGITS + 1).read_to_string(&mut digits);
            is_unbroken = read.is_ok() && digits == expected;
            seal.is_over();
        } else {
            return Err(no_backup());
        }
    }
    // What comes after the end is part of it.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(|error| damaged(&error))?;
    if database_bytes != Some(manifest.database_bytes) || count != manifest.documents {
        return Err(damaged(&"it is not complete"));
    }
    let database_hash = hex(&database_hash.finalize());
    let is_same = manifest.database_sha256.as_ref() == Some(&database_hash);
    if manifest.is_sealed() && !(is_unbroken && is_same && !seal.is_stained()) {
        return Err(damaged(&"its checksum is another one"));
    }
    check(&folder.join(DATABASE), &manifest)?;
    Ok(manifest)
}

fn manifest(entry: Entry<'_, impl Read>) -> Result<Manifest> {
    let is_first = entry.path_bytes().as_ref() == MANIFEST.as_bytes();
    let text = entry.take(MOST_MANIFEST);
    match serde_json::from_reader::<_, Manifest>(text) {
        Ok(manifest) if is_first && matches!(manifest.format, FORMAT | UNSEALED) => Ok(manifest),
        Ok(manifest) if is_first => Err(Error::invalid(format!(
            "the backup was made by prefectd {}, in a form that this version does not know; \
             use that version",
            manifest.prefectd
        ))),
        _ => Err(no_backup()),
    }
}

/// The document that an entry holds; only a hash is a name, so nothing is ever written
/// outside of the folder.
fn document_of(name: &str) -> Option<DocumentId> {
    name.strip_prefix(BLOBS)?.parse().ok()
}

fn document(entry: &mut impl Read, folder: &Path, id: DocumentId) -> Result<()> {
    let mut hash = Sha256::new();
    write(entry, &folder.join(id.to_string()), &mut hash)?;
    if DocumentId::from_hash(hash.finalize().into()) != id {
        return Err(damaged(&format_args!(
            "the document {id} is not what it was"
        )));
    }
    Ok(())
}

/// Writes a file, and what it holds to `also`.
fn write(entry: &mut impl Read, path: &Path, also: &mut impl io::Write) -> Result<u64> {
    let mut new = File::options();
    let new = new.write(true).create_new(true).mode(0o600).open(path);
    let mut file = new.map_err(|error| damaged(&error))?;
    let mut both = Both(&mut file, also);
    let bytes = io::copy(entry, &mut both).map_err(|error| damaged(&error))?;
    file.sync_all().map_err(Error::internal)?;
    Ok(bytes)
}

struct Both<'a, A, B>(&'a mut A, &'a mut B);

impl<A: io::Write, B: io::Write> io::Write for Both<'_, A, B> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_all(bytes)?;
        self.1.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Looks at every page of the database, and at what the rows say of each other. One that
/// cannot shrink yet is written anew.
fn check(database: &Path, manifest: &Manifest) -> Result<()> {
    let db = Connection::open(database)?;
    let said: String = db
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| damaged(&error))?;
    if said != "ok" {
        return Err(damaged(&said));
    }
    migrate::refuse_newer(&db).map_err(|error| match error.context() {
        Some(context) => Error::invalid(context.to_owned()),
        None => error,
    })?;
    let strays: i64 = db.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| {
        row.get(0)
    })?;
    if strays > 0 {
        return Err(damaged(&format_args!("{strays} rows refer to nothing")));
    }
    let summary = DatabaseSummary::of(&db)?;
    if (summary.schema, summary.flow_runs) != (manifest.schema, manifest.flow_runs) {
        return Err(damaged(&"the database is not the one that was packed"));
    }
    if !upkeep::is_shrinkable(&db)? {
        upkeep::rebuild(&db)?;
    }
    Ok(db.close().map_err(|(_, error)| error)?)
}

fn no_backup() -> Error {
    Error::invalid("this is no backup made by `prefectctl backup`")
}

fn damaged(why: &dyn std::fmt::Display) -> Error {
    Error::invalid(format!("the backup is damaged ({why}); use another one"))
}

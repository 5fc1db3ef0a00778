//! Backups: one file with the whole database and all documents, and the way back.
//!
//! A backup is a tar archive: first `prefectd-backup.json` (the [`Manifest`]), then
//! `prefectd.db`, then `blobs/<hash>` for every document, and last `prefectd-backup.sha256`,
//! the SHA-256 of all bytes before it: no bit can change unnoticed. The database is copied before the
//! documents are listed, and clients leave a document here before any row names it: so every
//! document that the copy names is in the archive.

mod copy;
mod pack;
mod restore;
mod seal;
mod unpack;

use serde::{Deserialize, Serialize};

pub use copy::{DatabaseSummary, Snapshot};
pub(super) use copy::{copy, remove_leftovers};
pub use pack::pack;
pub use restore::{Restored, restore};

/// The archive's form.
const FORMAT: u32 = 2;
/// The form before, which is still read. It has no checksums.
const UNSEALED: u32 = 1;
/// The name of what comes last.
const SEAL: &str = "prefectd-backup.sha256";
/// The manifest's name in the archive.
const MANIFEST: &str = "prefectd-backup.json";
/// The database's.
const DATABASE: &str = "prefectd.db";
/// The folder of documents.
const BLOBS: &str = "blobs/";

/// What a backup holds. It comes first, so that what follows can be held against it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of the archive.
    pub format: u32,
    /// The version that made it.
    pub prefectd: String,
    /// When, in UTC.
    pub created: String,
    /// The database's schema version.
    pub schema: i64,
    /// How many flow runs the database holds.
    pub flow_runs: u64,
    /// The database's size.
    pub database_bytes: u64,
    /// The SHA-256 of the database in hexadecimal digits; documents have theirs as their name.
    #[serde(default)]
    pub database_sha256: Option<String>,
    /// How many documents follow.
    pub documents: u64,
}

impl Manifest {
    /// Whether the backup tells when any bit of it has changed.
    pub fn is_sealed(&self) -> bool {
        self.format != UNSEALED
    }
}

#[cfg(test)]
mod tests;

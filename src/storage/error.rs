//! What SQLite's failures mean to a caller.

use rusqlite::ErrorCode;

use crate::domain::error::{Error, Kind};

fn extended(error: &rusqlite::Error) -> i32 {
    error.sqlite_error().map_or(0, |error| error.extended_code)
}

/// What it means, and the whole of it for the log.
pub(super) fn meaning(error: &rusqlite::Error) -> Error {
    let (kind, message) = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => FULL,
        // The index of the write-ahead log cannot grow.
        Some(ErrorCode::SystemIoFailure)
            if extended(error) == rusqlite::ffi::SQLITE_IOERR_SHMSIZE =>
        {
            FULL
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => DAMAGED,
        Some(ErrorCode::TooBig) => TOO_BIG,
        _ => return Error::internal(format_args!("database: {error}")),
    };
    Error::new(kind, message).while_doing(format_args!("database: {error}"))
}

const FULL: (Kind, &str) = (Kind::StorageFull, "The disk is full; nothing was written.");
const DAMAGED: (Kind, &str) = (
    Kind::StorageDamaged,
    "The database is damaged. Stop the daemon, restore a backup \
     (prefectctl restore --force FILE), and start it again.",
);
const TOO_BIG: (Kind, &str) = (Kind::TooLarge, "The request is too large to be stored.");

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        meaning(&error)
    }
}

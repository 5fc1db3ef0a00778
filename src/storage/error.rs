//! What SQLite's failures mean to a caller.

use rusqlite::ErrorCode;

use crate::domain::error::{Error, Kind};

fn extended(error: &rusqlite::Error) -> i32 {
    error.sqlite_error().map_or(0, |error| error.extended_code)
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let kind = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Kind::StorageFull,
            // The index of the write-ahead log cannot grow.
            Some(ErrorCode::SystemIoFailure)
                if extended(&error) == rusqlite::ffi::SQLITE_IOERR_SHMSIZE =>
            {
                Kind::StorageFull
            }
            Some(ErrorCode::TooBig) => Kind::TooLarge,
            _ => return Error::internal(format_args!("database: {error}")),
        };
        let message = match kind {
            Kind::StorageFull => "The disk is full; nothing was written.",
            _ => "The request is too large to be stored.",
        };
        Error::new(kind, message).while_doing(format_args!("database: {error}"))
    }
}

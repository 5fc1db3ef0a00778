//! The one table from kinds of failure to HTTP statuses.

use axum::http::StatusCode;

use crate::domain::error::{Error, Kind};

/// The status that says `kind`.
pub(super) fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::Unavailable | Kind::StorageLost | Kind::StorageDamaged => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        // Not a 5xx: whoever repeats the question gets the same answer.
        Kind::TooSlow => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Logs what the caller is not told; ordinary refusals are no news.
pub(super) fn log(error: &Error) {
    match error.kind() {
        Kind::Internal => tracing::error!(context = error.context(), "{}", error.message()),
        // The store tells these to the log, once and not with every request.
        Kind::StorageFull | Kind::StorageLost | Kind::StorageDamaged => {
            tracing::debug!("{error}");
        }
        Kind::Unavailable => tracing::warn!("{}", error.message()),
        _ => {}
    }
}

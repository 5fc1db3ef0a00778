//! The one table from kinds of failure to HTTP statuses, and the answer that tells one.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::domain::error::{Error, Kind};

/// The status that says `kind`.
pub(crate) fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Refused => StatusCode::BAD_REQUEST,
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

/// The answer that says so, in the words of all dialects; the log learns what the caller is not
/// told.
pub(super) fn answer(failure: &Error) -> Response {
    log(failure);
    let detail = json!({ "detail": failure.message() });
    let mut response = (status(failure.kind()), axum::Json(detail)).into_response();
    if failure.kind() == Kind::Unavailable {
        let soon = HeaderValue::from_static("1");
        response.headers_mut().insert(header::RETRY_AFTER, soon);
    }
    response
}

/// Ordinary refusals are no news.
pub(crate) fn log(error: &Error) {
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

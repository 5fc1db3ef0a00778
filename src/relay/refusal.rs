//! What the relay answers by itself.

use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};

use super::spool::{Refused, Spool, Whole};

/// The answer to a request whose body cannot be held; `most` is the largest, in bytes.
pub(super) fn refusal(refused: Refused, most: u64) -> Response<Whole> {
    let mut response = match refused {
        Refused::TooLarge => plain(
            StatusCode::PAYLOAD_TOO_LARGE,
            &format!("The request body is larger than {most} bytes."),
        ),
        Refused::TooSlow => plain(StatusCode::REQUEST_TIMEOUT, "The body came too slowly."),
        Refused::NoRoom => plain(
            StatusCode::TOO_MANY_REQUESTS,
            "There is no room for such a large request at the moment.",
        ),
        Refused::Disk => plain(
            StatusCode::INSUFFICIENT_STORAGE,
            "The request could not be kept on the server's disk.",
        ),
        Refused::Broken => plain(StatusCode::BAD_REQUEST, "The body broke off."),
    };
    let headers = response.headers_mut();
    if refused == Refused::NoRoom {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// An answer of the relay's own, in the form that both dialects' clients read.
pub(super) fn plain(status: StatusCode, detail: &str) -> Response<Whole> {
    let body = serde_json::json!({ "detail": detail }).to_string();
    let mut response = Response::new(Spool::text(body).body());
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

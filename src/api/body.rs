//! Reads request bodies up to the limit.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::MAX_BODY;
use crate::domain::error::{Error, Kind};

/// The whole body, or why it is refused: larger than [`MAX_BODY`], or cut off.
pub(super) async fn whole(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Error> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > MAX_BODY) {
        return Err(too_large());
    }
    match Limited::new(body, MAX_BODY).collect().await {
        Ok(collected) => Ok(collected.to_bytes().into()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(error) => Err(Error::invalid(format!(
            "The body could not be read: {error}"
        ))),
    }
}

fn too_large() -> Error {
    let mib = MAX_BODY / 1024 / 1024;
    Error::new(
        Kind::TooLarge,
        format!("The request body is larger than {mib} MiB."),
    )
}

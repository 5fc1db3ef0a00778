//! Requests that may be sent again because their answer was lost.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use uuid::Uuid;

/// The `Idempotency-Key` of a request, where that is a UUID.
pub struct Key(pub Option<Uuid>);

impl<S: Sync> FromRequestParts<S> for Key {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let key = parts.headers.get("idempotency-key");
        let key = key.and_then(|key| key.to_str().ok()?.parse().ok());
        Ok(Self(key))
    }
}

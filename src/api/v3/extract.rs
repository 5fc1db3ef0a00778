//! Ids from paths and queries, and bodies by serde.

use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::super::{Ctx, body};
use super::error::Refusal;

/// The id in the path.
pub struct Id(pub Uuid);

impl FromRequestParts<Ctx> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, ctx: &Ctx) -> Result<Self, Refusal> {
        let params = RawPathParams::from_request_parts(parts, ctx).await;
        let text = params.ok().and_then(|params| {
            let mut ids = params.iter().filter(|(name, _)| *name == "id");
            ids.next().map(|(_, value)| value.to_owned())
        });
        let uuid = text.as_deref().and_then(|text| Uuid::parse_str(text).ok());
        uuid.map(Self).ok_or_else(|| invalid_id("path", "id"))
    }
}

/// An id in the query, under the name that `N` gives.
pub fn query_id(parts: &Parts, name: &'static str) -> Result<Uuid, Refusal> {
    let query = parts.uri.query().unwrap_or_default();
    let found = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name);
    found
        .and_then(|(_, value)| Uuid::parse_str(value).ok())
        .ok_or_else(|| invalid_id("query", name))
}

/// What is named is no id.
pub fn invalid_id(part: &'static str, key: &str) -> Refusal {
    Refusal::Invalid {
        part,
        key: Some(key.to_owned()),
        message: "Input should be a valid UUID".to_owned(),
        body: Box::default(),
    }
}

/// A JSON body. No body at all reads as an empty object.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Ctx> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _ctx: &Ctx) -> Result<Self, Refusal> {
        let (parts, content) = request.into_parts();
        let bytes = body::whole(&parts.headers, content).await?;
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(text)
            .map(Self)
            .map_err(|error| Refusal::Invalid {
                part: "body",
                key: None,
                message: error.to_string(),
                body: Box::new(serde_json::from_slice(text).unwrap_or_default()),
            })
    }
}

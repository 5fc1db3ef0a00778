//! What addresses name.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use super::answer::Failed;
use crate::api::Ctx;
use crate::domain::error::Error;
use crate::domain::ids::ScheduleId;

/// The id in the address.
pub struct Id<T>(pub T);

/// The name in the address.
pub struct Name(pub String);

impl<T: FromStr> FromRequestParts<Ctx> for Id<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, ctx: &Ctx) -> Result<Self, Response> {
        let id = param(parts, ctx, "id").await;
        let id = id.and_then(|text| text.parse().ok());
        id.map(Self).ok_or_else(nowhere)
    }
}

impl FromRequestParts<Ctx> for Name {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, ctx: &Ctx) -> Result<Self, Response> {
        param(parts, ctx, "name")
            .await
            .map(Self)
            .ok_or_else(nowhere)
    }
}

async fn param(parts: &mut Parts, ctx: &Ctx, wanted: &str) -> Option<String> {
    let params = RawPathParams::from_request_parts(parts, ctx).await.ok()?;
    let mut found = params.iter().filter(|(name, _)| *name == wanted);
    found.next().map(|(_, value)| value.to_owned())
}

fn nowhere() -> Response {
    Failed::from(Error::not_found("Page")).into_response()
}

/// The id of a schedule in the address, below its deployment's.
pub struct ScheduleOf(pub ScheduleId);

impl FromRequestParts<Ctx> for ScheduleOf {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, ctx: &Ctx) -> Result<Self, Response> {
        let id = param(parts, ctx, "schedule").await;
        let id = id.and_then(|text| text.parse().ok());
        id.map(Self).ok_or_else(nowhere)
    }
}

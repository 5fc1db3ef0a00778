//! The modern dialect: what `prefectctl` needs of it, and the start of the rest.

mod agents;
mod checkup;
mod deployments;
mod error;
mod extract;
mod flow_runs;
mod flows;
#[cfg(fuzzing)]
pub mod fuzzing;
mod ids;
mod logs;
mod processes;
mod routes;
mod server;
mod states;
mod task_runs;
mod why;
pub mod wire;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::describe::Description;
use super::{Ctx, answer};
use crate::domain::flow::Created;
use error::Refusal;
pub use extract::body_as_read;

/// What a handler answers.
type Answer = Result<Response, Refusal>;

/// The routes and their description.
pub fn routes() -> (Router<Ctx>, Description) {
    let (router, described) = routes::all().parts();
    (
        router.method_not_allowed_fallback(error::wrong_method),
        described,
    )
}

/// 200 with a body.
fn ok(body: impl Serialize) -> Answer {
    Ok(answer::json(StatusCode::OK, &body)?)
}

/// 201 when it is new, 200 when it was there.
fn created<T, W: Serialize>(created: Created<T>, render: impl FnOnce(T) -> W) -> Answer {
    let status = match created.is_new() {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    Ok(answer::json(status, &render(created.into_inner()))?)
}

/// 204.
fn no_content() -> Answer {
    Ok(StatusCode::NO_CONTENT.into_response())
}

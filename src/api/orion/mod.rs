//! The dialect of the 2.0a7 generation.
//!
//! Its clients refuse unknown response fields, so every answer has exactly that server's
//! keys; its server refuses unknown request fields, and so do we, in its words.

mod admin;
mod ask;
mod data;
mod deployments;
mod error;
mod flow_runs;
mod flows;
#[cfg(fuzzing)]
pub mod fuzzing;
mod logs;
mod read;
mod redirect;
mod routes;
mod saved_searches;
mod settings;
mod shapes;
mod states;
mod task_runs;
mod wire;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::describe::Description;
use super::{Ctx, answer};
use crate::domain::flow::Created;
pub use ask::body_as_read;
use error::Refusal;
pub use redirect::{is_mended, mended, without_head};

/// What a handler answers.
type Answer = Result<Response, Refusal>;

/// The routes and their description.
pub fn routes() -> (Router<Ctx>, Description) {
    let (router, described) = routes::all().parts();
    (
        router.method_not_allowed_fallback(redirect::wrong_method),
        described,
    )
}

/// 200 with a body.
fn ok(body: impl Serialize) -> Answer {
    Ok(answer::json(StatusCode::OK, &body)?)
}

/// 201 when it is new, 200 when it was there.
fn created<T>(made: &Created<T>, body: impl Serialize) -> Answer {
    let status = match made.is_new() {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    Ok(answer::json(status, &body)?)
}

/// 204.
fn no_content() -> Answer {
    Ok(StatusCode::NO_CONTENT.into_response())
}

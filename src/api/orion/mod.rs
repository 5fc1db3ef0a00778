//! The dialect of the 2.0a7 generation.
//!
//! Its clients refuse unknown response fields, so every answer has exactly that server's
//! keys; its server refuses unknown request fields, and so do we, in its words.

mod admin;
mod aimed;
mod data;
mod deployments;
mod error;
mod flow_runs;
mod flows;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod logs;
mod read;
mod redirect;
mod request_reader;
mod routes;
mod saved_searches;
mod settings;
mod shapes;
mod states;
mod task_runs;
mod wire;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::access::Requester;
use super::operation::Routes;
use super::redaction::Redact;
use crate::domain::flow::Created;
use error::Refusal;
pub use redirect::{NO_HEAD, is_mended, mended, without_head};

/// What a handler answers.
type Answer = Result<Response, Refusal>;

/// The routes.
pub fn routes() -> Routes {
    routes::all()
}

/// 200 with a body.
async fn ok(who: &Requester, body: impl Redact + Serialize) -> Answer {
    Ok(who.shown(StatusCode::OK, body).await?)
}

/// 201 when it is new, 200 when it was there.
async fn created<T>(who: &Requester, made: &Created<T>, body: impl Redact + Serialize) -> Answer {
    let status = match made.is_new() {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    Ok(who.shown(status, body).await?)
}

/// 204.
fn no_content() -> Answer {
    Ok(StatusCode::NO_CONTENT.into_response())
}

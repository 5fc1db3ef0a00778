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
use futures_util::TryFutureExt;
use futures_util::future::ErrInto;
use serde::Serialize;

use super::access::{Requester, Showing};
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

/// An answer in the making.
type Answering<'a> = ErrInto<Showing<'a>, Refusal>;

/// 200 with a body.
fn ok<'a>(who: &'a Requester, body: impl Redact + Serialize + Send + Sync + 'a) -> Answering<'a> {
    who.shown(StatusCode::OK, body).err_into()
}

/// 201 when it is new, 200 when it was there.
fn created<'a, T>(
    who: &'a Requester,
    made: &Created<T>,
    body: impl Redact + Serialize + Send + Sync + 'a,
) -> Answering<'a> {
    let status = match made.is_new() {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    who.shown(status, body).err_into()
}

/// 204.
fn no_content() -> Answer {
    Ok(StatusCode::NO_CONTENT.into_response())
}

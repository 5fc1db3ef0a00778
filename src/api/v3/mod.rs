//! The modern dialect: what `prefectctl` needs of it, and the start of the rest.

mod admin;
mod agents;
mod artifacts;
mod automations;
mod blocks;
mod bulk;
mod checkup;
mod client;
mod collections;
mod concurrency;
mod deployments;
pub(in crate::api) mod error;
pub(in crate::api) mod events;
pub(in crate::api) mod extract;
mod flow_runs;
mod flows;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod graph;
mod ids;
mod logs;
mod nodes;
mod observed;
mod processes;
mod routes;
mod saved_searches;
mod server;
pub(in crate::api) mod shapes;
mod slots;
mod states;
mod task_runs;
mod task_workers;
mod ui;
mod variables;
mod why;
pub mod wire;
mod work_pools;
mod work_queues;
mod workers;

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
fn created<'a, T, W: Redact + Serialize + Send + Sync + 'a>(
    who: &'a Requester,
    created: Created<T>,
    render: impl FnOnce(T) -> W,
) -> Answering<'a> {
    let status = match created.is_new() {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    who.shown(status, render(created.into_inner())).err_into()
}

/// 201 with a body.
fn made<'a>(who: &'a Requester, body: impl Redact + Serialize + Send + Sync + 'a) -> Answering<'a> {
    who.shown(StatusCode::CREATED, body).err_into()
}

/// 204.
fn no_content() -> Answer {
    Ok(StatusCode::NO_CONTENT.into_response())
}

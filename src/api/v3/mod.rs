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
use serde::Serialize;

use super::access::Requester;
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

/// 200 with a body.
async fn ok(who: &Requester, body: impl Redact + Serialize) -> Answer {
    Ok(who.shown(StatusCode::OK, body).await?)
}

/// 201 when it is new, 200 when it was there.
async fn created<T, W: Redact + Serialize>(
    who: &Requester,
    created: Created<T>,
    render: impl FnOnce(T) -> W,
) -> Answer {
    let status = match created.is_new() {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    Ok(who.shown(status, render(created.into_inner())).await?)
}

/// 201 with a body.
async fn made(who: &Requester, body: impl Redact + Serialize) -> Answer {
    Ok(who.shown(StatusCode::CREATED, body).await?)
}

/// 204.
fn no_content() -> Answer {
    Ok(StatusCode::NO_CONTENT.into_response())
}

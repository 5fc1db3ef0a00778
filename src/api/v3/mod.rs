//! The modern dialect: what `prefectctl` needs of it, and the start of the rest.

mod admin;
mod deployments;
mod error;
mod extract;
mod flow_runs;
mod flows;
mod logs;
mod states;
mod task_runs;
pub mod wire;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Serialize;

use super::Ctx;
use crate::domain::flow::Created;
use error::Refusal;

/// What a handler answers.
type Answer = Result<Response, Refusal>;

/// The routes, each noun's in its own file.
pub fn routes() -> Router<Ctx> {
    Router::new()
        .route("/health", get(admin::health))
        .route("/ready", get(admin::ready))
        .route("/hello", get(admin::hello))
        .route("/version", get(admin::version))
        .route("/admin/version", get(admin::version))
        .route("/prefectd/status", get(admin::status))
        .route("/flows/", post(flows::create))
        .route("/flows/filter", post(flows::filter))
        .route("/flows/count", post(flows::count))
        .route("/flows/name/{name}", get(flows::read_by_name))
        .route("/flows/{id}", get(flows::read).delete(flows::delete))
        .route("/deployments/", post(deployments::create))
        .route("/deployments/filter", post(deployments::filter))
        .route("/deployments/count", post(deployments::count))
        .route(
            "/deployments/name/{flow_name}/{deployment_name}",
            get(deployments::read_by_name),
        )
        .route(
            "/deployments/{id}",
            get(deployments::read).delete(deployments::delete),
        )
        .route(
            "/deployments/{id}/create_flow_run",
            post(deployments::create_flow_run),
        )
        .route(
            "/deployments/{id}/pause_deployment",
            post(deployments::pause),
        )
        .route(
            "/deployments/{id}/resume_deployment",
            post(deployments::resume),
        )
        .route("/flow_runs/", post(flow_runs::create))
        .route("/flow_runs/filter", post(flow_runs::filter))
        .route("/flow_runs/count", post(flow_runs::count))
        .route(
            "/flow_runs/{id}",
            get(flow_runs::read)
                .patch(flow_runs::update)
                .delete(flow_runs::delete),
        )
        .route("/flow_runs/{id}/set_state", post(flow_runs::set_state))
        .route("/flow_run_states/", get(states::of_flow_run))
        .route("/flow_run_states/{id}", get(states::read_of_flow_run))
        .route("/task_runs/", post(task_runs::create))
        .route("/task_runs/filter", post(task_runs::filter))
        .route("/task_runs/count", post(task_runs::count))
        .route(
            "/task_runs/{id}",
            get(task_runs::read).delete(task_runs::delete),
        )
        .route("/task_runs/{id}/set_state", post(task_runs::set_state))
        .route("/task_run_states/", get(states::of_task_run))
        .route("/task_run_states/{id}", get(states::read_of_task_run))
        .route("/logs/", post(logs::create))
        .route("/logs/filter", post(logs::filter))
        .method_not_allowed_fallback(error::wrong_method)
        .fallback(error::not_found)
}

/// 200 with a body.
fn ok(body: impl Serialize) -> Answer {
    Ok(axum::Json(body).into_response())
}

/// 201 when it is new, 200 when it was there.
fn created<T, W: Serialize>(created: Created<T>, render: impl FnOnce(T) -> W) -> Answer {
    let status = match created.is_new() {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    Ok((status, axum::Json(render(created.into_inner()))).into_response())
}

/// 204.
fn no_content() -> Answer {
    Ok(StatusCode::NO_CONTENT.into_response())
}

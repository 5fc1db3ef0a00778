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
mod logs;
mod read;
mod redirect;
mod saved_searches;
mod settings;
mod states;
mod task_runs;
mod wire;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post, put};
use serde::Serialize;

use super::Ctx;
use crate::domain::flow::Created;
use error::Refusal;

/// What a handler answers.
type Answer = Result<Response, Refusal>;

/// The routes, each noun's in its own file.
pub fn routes() -> Router<Ctx> {
    Router::new()
        .route("/admin/hello", get(admin::hello))
        .route("/admin/version", get(admin::version))
        .route("/admin/settings", get(settings::read))
        .route("/health", get(admin::health))
        .route("/ready", get(admin::ready))
        .route("/admin/database/clear", post(admin::clear))
        .route("/admin/database/drop", post(admin::clear))
        .route("/admin/database/create", post(admin::create))
        .route("/data/persist", post(data::persist))
        .route("/data/retrieve", post(data::retrieve))
        .route("/flows/", post(flows::create))
        .route("/flows/count", post(flows::count).merge(a_flow()))
        .route("/flows/filter", post(flows::filter).merge(a_flow()))
        .route("/flows/name/{name}", get(flows::read_by_name))
        .route("/flows/{id}", a_flow())
        .route("/deployments/", post(deployments::create))
        .route(
            "/deployments/count",
            post(deployments::count).merge(a_deployment()),
        )
        .route(
            "/deployments/filter",
            post(deployments::filter).merge(a_deployment()),
        )
        .route(
            "/deployments/name/{flow_name}/{deployment_name}",
            get(deployments::read_by_name),
        )
        .route("/deployments/{id}", a_deployment())
        .route("/deployments/{id}/schedule", post(deployments::schedule))
        .route(
            "/deployments/{id}/set_schedule_active",
            post(deployments::set_schedule_active),
        )
        .route(
            "/deployments/{id}/set_schedule_inactive",
            post(deployments::set_schedule_inactive),
        )
        .route(
            "/deployments/{id}/create_flow_run",
            post(deployments::create_flow_run),
        )
        .route("/flow_runs/", post(flow_runs::create))
        .route(
            "/flow_runs/count",
            post(flow_runs::count).merge(a_flow_run()),
        )
        .route(
            "/flow_runs/filter",
            post(flow_runs::filter).merge(a_flow_run()),
        )
        .route("/flow_runs/{id}", a_flow_run())
        .route(
            "/flow_runs/history",
            post(flow_runs::history).merge(a_flow_run()),
        )
        .route("/flow_runs/{id}/graph", get(flow_runs::graph))
        .route("/flow_runs/{id}/set_state", post(flow_runs::set_state))
        .route("/task_runs/", post(task_runs::create))
        .route(
            "/task_runs/count",
            post(task_runs::count).merge(a_task_run()),
        )
        .route(
            "/task_runs/filter",
            post(task_runs::filter).merge(a_task_run()),
        )
        .route("/task_runs/{id}", a_task_run())
        .route(
            "/task_runs/history",
            post(task_runs::history).merge(a_task_run()),
        )
        .route("/task_runs/{id}/set_state", post(task_runs::set_state))
        .route("/flow_run_states/", get(states::of_flow_run))
        .route("/flow_run_states/{id}", get(states::read_of_flow_run))
        .route("/task_run_states/", get(states::of_task_run))
        .route("/task_run_states/{id}", get(states::read_of_task_run))
        .route("/saved_searches/", put(saved_searches::save))
        .route(
            "/saved_searches/filter",
            post(saved_searches::filter).merge(a_saved_search()),
        )
        .route("/saved_searches/{id}", a_saved_search())
        .route("/logs/", post(logs::create))
        .route("/logs/filter", post(logs::filter))
        .route_layer(middleware::from_fn(redirect::refuse_head))
        .method_not_allowed_fallback(redirect::wrong_method)
        .fallback(redirect::or_not_found)
}

// What can be done with one of a noun. Words such as `count` lie where ids do: whatever the
// word's own route does not take is taken as an id, which it is not.

fn a_flow() -> MethodRouter<Ctx> {
    get(flows::read).patch(flows::update).delete(flows::delete)
}

fn a_deployment() -> MethodRouter<Ctx> {
    get(deployments::read).delete(deployments::delete)
}

fn a_flow_run() -> MethodRouter<Ctx> {
    get(flow_runs::read)
        .patch(flow_runs::update)
        .delete(flow_runs::delete)
}

fn a_task_run() -> MethodRouter<Ctx> {
    get(task_runs::read).delete(task_runs::delete)
}

fn a_saved_search() -> MethodRouter<Ctx> {
    get(saved_searches::read).delete(saved_searches::delete)
}

/// 200 with a body.
fn ok(body: impl Serialize) -> Answer {
    Ok(axum::Json(body).into_response())
}

/// 201 when it is new, 200 when it was there.
fn created<T>(made: &Created<T>, body: impl Serialize) -> Answer {
    let status = match made.is_new() {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    Ok((status, axum::Json(body)).into_response())
}

/// 204.
fn no_content() -> Answer {
    Ok(StatusCode::NO_CONTENT.into_response())
}

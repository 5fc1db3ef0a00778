//! Is anybody there, and what is it doing?

mod backup;
pub mod wire;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;

use super::wire::Agent;
use super::{Answer, ok};
use crate::api::Ctx;
use crate::api::access::Need;
use crate::api::describe::{Routes, Talk};
use crate::domain::agent::EMBEDDED;
use crate::domain::filter::{Filters, FlowRunCriterion};
use crate::domain::state::StateType;
use axum::routing::get;
use wire::{Readiness, Status};

/// What there is to ask.
pub fn routes(routes: Routes) -> Routes {
    routes
        .add(
            "GET /health",
            "Tells that the process answers",
            Talk::plain("boolean").needs(Need::Nothing),
            get(health),
        )
        .add(
            "GET /ready",
            "Tells that the database takes writes",
            Talk::plain("boolean").needs(Need::Read),
            get(ready),
        )
        .add(
            "GET /hello",
            "Waves",
            Talk::plain("string").needs(Need::Read),
            get(hello),
        )
        .add(
            "GET /version",
            "Tells the version of the API",
            Talk::plain("string").needs(Need::Read),
            get(version),
        )
        .add(
            "GET /admin/version",
            "Tells the version of the API",
            Talk::plain("string").needs(Need::Inspect),
            get(version),
        )
        .add(
            "GET /prefectd/status",
            "Tells what the daemon is doing",
            Talk::one::<Status>().needs(Need::Inspect),
            get(status),
        )
        .add(
            "GET /prefectd/ready",
            "Tells whether the database takes writes and the engine answers",
            Talk::one::<Readiness>().needs(Need::Inspect),
            get(readiness),
        )
        .add(
            "GET /prefectd/backup",
            "Sends an archive of the database and all documents",
            Talk::plain("string"),
            get(backup::backup),
        )
}

/// The version told to callers that do not say theirs.
const VERSION: &str = "3.0.0";

/// True while the process answers.
pub async fn health() -> Answer {
    ok(true)
}

/// True once a transaction has gone through the writer.
pub async fn ready(State(ctx): State<Ctx>) -> Answer {
    ctx.app.check_writer().await?;
    ok(true)
}

/// The same, with the engine's state: its absence is told and is no reason for a refusal.
pub async fn readiness(State(ctx): State<Ctx>) -> Answer {
    let writer = ctx.app.check_writer().await;
    let engine = ctx.premises.engine_trouble().await;
    let status = match &writer {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let told = Readiness {
        writer: writer.is_ok(),
        engine: engine.is_none(),
        trouble: writer
            .err()
            .map(|error| error.to_string())
            .into_iter()
            .chain(engine)
            .collect(),
    };
    Ok((status, axum::Json(told)).into_response())
}

/// A wave.
pub async fn hello() -> Answer {
    ok("👋")
}

/// A version that the caller accepts: modern clients refuse a server of another major
/// version, so it follows the client's own where the client names it (`prefect/3.4.1`).
pub async fn version(headers: HeaderMap) -> Answer {
    let agent = headers
        .get("user-agent")
        .and_then(|value| value.to_str().ok());
    let named = agent
        .and_then(|agent| agent.strip_prefix("prefect/"))
        .and_then(|rest| rest.split_whitespace().next());
    ok(named.unwrap_or(VERSION))
}

/// Everything that `prefectctl status` shows.
pub async fn status(State(ctx): State<Ctx>) -> Answer {
    let about = &ctx.about;
    let agents = ctx.app.agents().await?.into_iter();
    let agents: Vec<_> = agents
        .map(|(known, used)| Agent::new(known, used))
        .collect();
    let embedded = agents.iter().find(|agent| agent.name == EMBEDDED).cloned();
    ok(Status {
        version: about.version().to_owned(),
        instance: about.instance().to_owned(),
        pid: std::process::id(),
        started: about.started().into(),
        state_dir: about.state_dir().display().to_string(),
        socket: about.socket().display().to_string(),
        listeners: about.listeners(),
        database_bytes: ctx.app.database_bytes(),
        storage_trouble: ctx.app.storage_trouble(),
        agent: embedded,
        agents,
        runs_scheduled: count(&ctx, StateType::Scheduled).await?,
        runs_pending: count(&ctx, StateType::Pending).await?,
        runs_running: count(&ctx, StateType::Running).await?,
    })
}

async fn count(ctx: &Ctx, kind: StateType) -> crate::domain::error::Result<u64> {
    let filters = Filters {
        flow_runs: Some(vec![FlowRunCriterion::StateTypeIn(vec![kind])]),
        ..Filters::default()
    };
    ctx.app.count_flow_runs(filters).await
}

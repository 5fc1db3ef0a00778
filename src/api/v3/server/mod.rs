//! Is anybody there, and what is it doing?

mod backup;
pub mod wire;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;

use super::wire::Agent;
use super::{Answer, ok};
use crate::api::Ctx;
use crate::api::Operation;
use crate::api::access::Requester;
use crate::domain::access::Need;
use crate::domain::agent::EMBEDDED;
use crate::domain::filter::Filters;
use crate::domain::state::StateType;
use wire::{Readiness, Status};

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/health", "Tells that the process answers")
            .tells("boolean")
            .needs(Need::Open, health),
        Operation::get("/ready", "Tells that the database takes writes")
            .tells("boolean")
            .needs(Need::Read, ready),
        Operation::get("/hello", "Waves")
            .tells("string")
            .needs(Need::Read, hello),
        Operation::get("/version", "Tells the version of the API")
            .tells("string")
            .needs(Need::Read, version),
        Operation::get("/admin/version", "Tells the version of the API")
            .tells("string")
            .needs(Need::Inspect, version),
        Operation::get("/prefectd/status", "Tells what the daemon is doing")
            .answers::<Status>()
            .needs(Need::Inspect, status),
        Operation::get(
            "/prefectd/ready",
            "Tells whether the database takes writes and the engine answers",
        )
        .answers::<Readiness>()
        .needs(Need::Inspect, readiness),
        Operation::get(
            "/prefectd/backup",
            "Sends an archive of the database and all documents",
        )
        .tells("string")
        .needs(Need::Operate, backup::backup),
    ]
}

/// The version told to callers that do not say theirs.
const VERSION: &str = "3.0.0";

/// True while the process answers.
pub async fn health(who: Requester) -> Answer {
    ok(&who, true).await
}

/// True once a transaction has gone through the writer.
pub async fn ready(State(ctx): State<Ctx>, who: Requester) -> Answer {
    ctx.app.check_writer().await?;
    ok(&who, true).await
}

/// The same, with the engine's state: its absence is told and is no reason for a refusal.
pub async fn readiness(State(ctx): State<Ctx>) -> Answer {
    let writer = ctx.app.check_writer().await;
    let engine = ctx.host.engine_trouble().await;
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
pub async fn hello(who: Requester) -> Answer {
    ok(&who, "👋").await
}

/// A version that the caller accepts: modern clients refuse a server of another major
/// version, so it follows the client's own where the client names it (`prefect/3.4.1`).
pub async fn version(who: Requester, headers: HeaderMap) -> Answer {
    let agent = headers
        .get("user-agent")
        .and_then(|value| value.to_str().ok());
    let named = agent
        .and_then(|agent| agent.strip_prefix("prefect/"))
        .and_then(|rest| rest.split_whitespace().next());
    ok(&who, named.unwrap_or(VERSION).to_owned()).await
}

/// Everything that `prefectctl status` shows.
pub async fn status(State(ctx): State<Ctx>, who: Requester) -> Answer {
    let about = &ctx.about;
    let agents = ctx.app.agents().await?.into_iter();
    let agents: Vec<_> = agents
        .map(|(known, used)| Agent::new(known, used))
        .collect();
    let embedded = agents.iter().find(|agent| agent.name == EMBEDDED).cloned();
    ok(
        &who,
        Status {
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
        },
    )
    .await
}

async fn count(ctx: &Ctx, kind: StateType) -> crate::domain::error::Result<u64> {
    let filters = Filters::of_flow_runs_in(&[kind]);
    ctx.app.count_flow_runs(filters).await
}

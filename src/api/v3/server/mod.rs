//! Is anybody there, and what is it doing?

mod backup;
pub mod wire;

use axum::extract::State;
use axum::http::StatusCode;
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
use wire::{IgnoredField, Readiness, Status};

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/prefectd/status", "Tells what the daemon is doing")
            .answers::<Status>()
            .needs(Need::Inspect, status),
        Operation::get(
            "/prefectd/compat",
            "Lists the fields that Prefect clients sent and that were ignored",
        )
        .lists::<IgnoredField>()
        .needs(Need::Inspect, compat),
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

/// Whether a transaction goes through the writer, and the engine's state: its absence is told and
/// is no reason for a refusal.
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

/// What Prefect clients sent in vain.
pub async fn compat(State(ctx): State<Ctx>, who: Requester) -> Answer {
    let all = ctx.compat.all().into_iter();
    ok(&who, all.map(IgnoredField::from).collect::<Vec<_>>()).await
}

async fn count(ctx: &Ctx, kind: StateType) -> crate::domain::error::Result<u64> {
    let filters = Filters::of_flow_runs_in(&[kind]);
    ctx.app.count_flow_runs(filters).await
}

//! Routes of agents.

pub mod wire;

use std::time::Duration;

use axum::extract::{Path, State};

use super::extract::Body;
use super::{Answer, no_content, ok};
use crate::api::Ctx;
use crate::api::access::Need;
use crate::api::describe::{Routes, Talk};
use crate::domain::ids::FlowRunId;
use axum::routing::{get, post};
use wire::{Agent, ClaimIn, Due, EndIn, HeldRun, MadeIn, News, ReportIn};

/// What there is to ask.
pub fn routes(routes: Routes) -> Routes {
    routes
        .add(
            "GET /prefectd/agents",
            "Lists the agents that are there",
            Talk::many::<Agent>().needs(Need::Inspect),
            get(list),
        )
        .add(
            "POST /prefectd/agents/{name}/report",
            "Keeps an agent's lease, and waits for news",
            Talk::one::<News>().asks::<ReportIn>(),
            post(report),
        )
        .add(
            "POST /prefectd/agents/{name}/claim",
            "Takes due runs for an agent",
            Talk::many::<HeldRun>().asks::<ClaimIn>(),
            post(claim),
        )
        .add(
            "GET /prefectd/agents/{name}/runs",
            "Lists the runs that an agent holds",
            Talk::many::<HeldRun>(),
            get(held),
        )
        .add(
            "POST /prefectd/agents/{name}/runs/{run}/made",
            "Notes what an agent made for a run",
            Talk::silent().asks::<MadeIn>(),
            post(made),
        )
        .add(
            "POST /prefectd/agents/{name}/runs/{run}/end",
            "Ends a run that an agent holds",
            Talk::plain("boolean").asks::<EndIn>(),
            post(end),
        )
        .add(
            "POST /prefectd/agents/{name}/runs/{run}/output_kept",
            "Notes that all that a run's process printed is stored",
            Talk::silent(),
            post(output_kept),
        )
        .add(
            "GET /prefectd/due",
            "Tells when a run is due next",
            Talk::one::<Due>().needs(Need::Inspect),
            get(due),
        )
}

/// How long a report waits for news, at most; less where leases are short.
const PATIENCE: Duration = Duration::from_secs(8);

pub async fn list(State(ctx): State<Ctx>) -> Answer {
    let agents = ctx.app.agents().await?.into_iter();
    let agents = agents.map(|(known, used)| Agent::new(known, used));
    ok(agents.collect::<Vec<_>>())
}

pub async fn report(
    State(ctx): State<Ctx>,
    Path(name): Path<String>,
    Body(told): Body<ReportIn>,
) -> Answer {
    ctx.app.agent_reports(&name, told.report.into())?;
    let bell = ctx.app.agent_bell();
    if let Some(heard) = told.heard {
        // In vain means that there is no news.
        let _ =
            tokio::time::timeout(PATIENCE.min(ctx.app.lease() / 3), bell.rung_since(heard)).await;
    }
    ok(News {
        number: bell.rings(),
        instance: ctx.about.instance().to_owned(),
    })
}

pub async fn claim(
    State(ctx): State<Ctx>,
    Path(name): Path<String>,
    Body(claim): Body<ClaimIn>,
) -> Answer {
    let (containers, limit) = (claim.containers, claim.limit);
    let runs = ctx.app.claim_due_runs(&name, containers, limit).await?;
    let now = ctx.app.now();
    let runs = runs.into_iter().map(|run| HeldRun::new(run, now));
    ok(runs.collect::<Vec<_>>())
}

pub async fn held(State(ctx): State<Ctx>, Path(name): Path<String>) -> Answer {
    let runs = ctx.app.claimed_runs(&name).await?;
    let now = ctx.app.now();
    let runs = runs.into_iter().map(|run| HeldRun::new(run, now));
    ok(runs.collect::<Vec<_>>())
}

pub async fn due(State(ctx): State<Ctx>) -> Answer {
    let due = ctx.app.due_in().await?;
    let micros = |due: Duration| u64::try_from(due.as_micros()).unwrap_or(u64::MAX);
    ok(Due {
        in_micros: due.map(micros),
    })
}

pub async fn made(
    State(ctx): State<Ctx>,
    Path((name, run)): Path<(String, String)>,
    Body(made): Body<MadeIn>,
) -> Answer {
    let run = flow_run_id(&run)?;
    ctx.app
        .record_infrastructure(&name, run, made.infrastructure)
        .await?;
    no_content()
}

pub async fn end(
    State(ctx): State<Ctx>,
    Path((name, run)): Path<(String, String)>,
    Body(end): Body<EndIn>,
) -> Answer {
    let run = flow_run_id(&run)?;
    ok(ctx.app.end_run(&name, run, end.state.try_into()?).await?)
}

pub async fn output_kept(
    State(ctx): State<Ctx>,
    Path((name, run)): Path<(String, String)>,
) -> Answer {
    ctx.app.close_output(&name, flow_run_id(&run)?).await?;
    no_content()
}

fn flow_run_id(text: &str) -> Result<FlowRunId, super::error::Refusal> {
    text.parse()
        .map_err(|_| super::extract::invalid_id("path", "run"))
}

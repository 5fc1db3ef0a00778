//! Routes of agents.

use std::time::Duration;

use axum::extract::{Path, State};

use super::super::Ctx;
use super::extract::{Body, Id};
use super::wire::{Agent, ClaimIn, Due, EndIn, HeldRun, MadeIn, News, OutputSeen, ReportIn, Why};
use super::{Answer, no_content, ok};
use crate::domain::ids::FlowRunId;

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

pub async fn output_seen(State(ctx): State<Ctx>, Id(id): Id) -> Answer {
    let seen = ctx.app.output_seen(FlowRunId::from_uuid(id)).await?;
    ok(OutputSeen::from(seen))
}

pub async fn why(State(ctx): State<Ctx>, Id(id): Id) -> Answer {
    ok(Why::from(ctx.app.why(FlowRunId::from_uuid(id)).await?))
}

fn flow_run_id(text: &str) -> Result<FlowRunId, super::error::Refusal> {
    text.parse()
        .map_err(|_| super::extract::invalid_id("path", "run"))
}

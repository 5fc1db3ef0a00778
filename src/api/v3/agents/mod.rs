//! Routes of agents.

pub mod wire;

use std::time::Duration;

use axum::extract::{Path, State};

use super::extract::Body;
use super::{Answer, no_content, ok};
use crate::api::Ctx;
use crate::api::Operation;
use crate::api::access::Requester;
use crate::domain::access::Need;
use crate::domain::ids::FlowRunId;
use wire::{Agent, ClaimIn, Due, EndIn, HeldRun, KeyIn, KeyOut, MadeIn, News, ReportIn};

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/prefectd/agents", "Lists the agents that are there")
            .lists::<Agent>()
            .needs(Need::Inspect, list),
        Operation::post(
            "/prefectd/agents/{name}/report",
            "Keeps an agent's lease, and waits for news",
        )
        .asks::<ReportIn>()
        .answers::<News>()
        .is_routine()
        .needs(Need::Operate, report),
        Operation::post(
            "/prefectd/agents/{name}/claim",
            "Takes due runs for an agent",
        )
        .asks::<ClaimIn>()
        .lists::<HeldRun>()
        .is_routine()
        .needs(Need::Operate, claim),
        Operation::get(
            "/prefectd/agents/{name}/runs",
            "Lists the runs that an agent holds",
        )
        .lists::<HeldRun>()
        .is_routine()
        .needs(Need::Operate, held),
        Operation::post(
            "/prefectd/agents/{name}/runs/{run}/made",
            "Notes what an agent made for a run",
        )
        .asks::<MadeIn>()
        .is_silent()
        .is_routine()
        .needs(Need::Operate, made),
        Operation::post(
            "/prefectd/agents/{name}/runs/{run}/key",
            "Makes the key by which a run that an agent holds is known",
        )
        .asks::<KeyIn>()
        .answers::<KeyOut>()
        .is_routine()
        .needs(Need::Operate, key),
        Operation::post(
            "/prefectd/agents/{name}/runs/{run}/end",
            "Ends a run that an agent holds",
        )
        .asks::<EndIn>()
        .tells("boolean")
        .is_routine()
        .needs(Need::Operate, end),
        Operation::post(
            "/prefectd/agents/{name}/runs/{run}/output_kept",
            "Notes that all that a run's process printed is stored",
        )
        .is_silent()
        .is_routine()
        .needs(Need::Operate, output_kept),
        Operation::get("/prefectd/due", "Tells when a run is due next")
            .answers::<Due>()
            .needs(Need::Inspect, due),
    ]
}

/// How long a report waits for news, at most; less where leases are short.
const PATIENCE: Duration = Duration::from_secs(8);

pub async fn list(State(ctx): State<Ctx>, who: Requester) -> Answer {
    let agents = ctx.app.agents().await?.into_iter();
    let agents = agents.map(|(known, used)| Agent::new(known, used));
    ok(&who, agents.collect::<Vec<_>>()).await
}

pub async fn report(
    State(ctx): State<Ctx>,
    who: Requester,
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
    ok(
        &who,
        News {
            number: bell.rings(),
            instance: ctx.about.instance().to_owned(),
        },
    )
    .await
}

pub async fn claim(
    State(ctx): State<Ctx>,
    who: Requester,
    Path(name): Path<String>,
    Body(claim): Body<ClaimIn>,
) -> Answer {
    let (containers, limit) = (claim.containers, claim.limit);
    let runs = ctx.app.claim_due_runs(&name, containers, limit).await?;
    let now = ctx.app.now();
    let runs = runs.into_iter().map(|run| HeldRun::new(run, now));
    ok(&who, runs.collect::<Vec<_>>()).await
}

pub async fn held(State(ctx): State<Ctx>, who: Requester, Path(name): Path<String>) -> Answer {
    let runs = ctx.app.claimed_runs(&name).await?;
    let now = ctx.app.now();
    let runs = runs.into_iter().map(|run| HeldRun::new(run, now));
    ok(&who, runs.collect::<Vec<_>>()).await
}

pub async fn due(State(ctx): State<Ctx>, who: Requester) -> Answer {
    let due = ctx.app.due_in("").await?;
    let micros = |due: Duration| u64::try_from(due.as_micros()).unwrap_or(u64::MAX);
    ok(
        &who,
        Due {
            in_micros: due.map(micros),
        },
    )
    .await
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

pub async fn key(
    State(ctx): State<Ctx>,
    who: Requester,
    Path((name, run)): Path<(String, String)>,
    Body(wanted): Body<KeyIn>,
) -> Answer {
    let run = flow_run_id(&run)?;
    // While none is needed, a process of an agent's machine asks as everybody there does.
    let key = match wanted.container || ctx.gate.needs_key() {
        true => Some(ctx.app.make_run_key(&name, run).await?),
        false => None,
    };
    let key = key.map(|key| key.text().to_owned());
    ok(&who, KeyOut { key }).await
}

pub async fn end(
    State(ctx): State<Ctx>,
    who: Requester,
    Path((name, run)): Path<(String, String)>,
    Body(end): Body<EndIn>,
) -> Answer {
    let run = flow_run_id(&run)?;
    ok(
        &who,
        ctx.app.end_run(&name, run, end.state.try_into()?).await?,
    )
    .await
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

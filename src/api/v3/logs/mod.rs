//! Routes of log lines.

mod download;
pub mod pages;
pub mod wire;

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;

use super::extract::{Aimed, Body, Id};
use super::wire::LogQuery;
use super::{Answer, ok};
use crate::api::Ctx;
use crate::api::Operation;
use crate::api::access::Requester;
use crate::domain::access::Need;
use crate::domain::ids::FlowRunId;
use pages::{LinesPage, LinesQuery, NewsQuery, OutputSeen, OutputState, RunNews};
use wire::{Log, LogCreate};

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/logs/", "Keeps log lines")
            .asks_many::<LogCreate>()
            .tells("any")
            .aims(create),
        Operation::post("/logs/filter", "Finds log lines")
            .asks::<LogQuery>()
            .lists::<Log>()
            .needs(Need::Read, filter),
        download::operation(),
        Operation::post(
            "/prefectd/logs/page",
            "Reads a run's log from a place on, or what has arrived since",
        )
        .asks::<LinesQuery>()
        .answers::<LinesPage>()
        .needs(Need::Inspect, page),
        Operation::post(
            "/prefectd/runs/news",
            "Waits until something has been made, has changed, has gone, or was said by a run, for some seconds at most",
        )
        .asks::<NewsQuery>()
        .answers::<RunNews>()
        .is_routine()
        .needs(Need::Inspect, news),
        Operation::get(
            "/prefectd/flow_runs/{id}/output",
            "Tells whether a run's log is complete",
        )
        .answers::<OutputState>()
        .needs(Need::Inspect, output),
        Operation::get(
            "/prefectd/flow_runs/{id}/output_seen",
            "Tells how much of a run's output is stored",
        )
        .answers::<OutputSeen>()
        .needs(Need::Inspect, output_seen),
    ]
}

pub async fn create(State(ctx): State<Ctx>, Aimed { asked, .. }: Aimed<Vec<LogCreate>>) -> Answer {
    ctx.app.create_logs(asked).await?;
    Ok((StatusCode::CREATED, axum::Json(())).into_response())
}

pub async fn filter(State(ctx): State<Ctx>, who: Requester, Body(query): Body<LogQuery>) -> Answer {
    let (criteria, sort, page) = query.parts()?;
    let lines = ctx.app.logs(criteria, sort, page).await?;
    ok(&who, lines.into_iter().map(Log::from).collect::<Vec<_>>()).await
}

pub async fn page(State(ctx): State<Ctx>, who: Requester, Body(query): Body<LinesQuery>) -> Answer {
    let page = ctx.app.lines(query.try_into()?).await?;
    ok(&who, LinesPage::from(page)).await
}

/// How long whoever waits for news waits at most.
const PATIENCE: Duration = Duration::from_secs(8);

pub async fn news(State(ctx): State<Ctx>, who: Requester, Body(query): Body<NewsQuery>) -> Answer {
    let bell = ctx.app.news_bell();
    if let Some(heard) = query.heard {
        // In vain means that there is no news.
        let _ = tokio::time::timeout(PATIENCE, bell.rung_since(heard)).await;
    }
    let number = bell.rings();
    ok(&who, RunNews { number }).await
}

pub async fn output(State(ctx): State<Ctx>, who: Requester, Id(id): Id) -> Answer {
    let state = ctx.app.output_state(FlowRunId::from_uuid(id)).await?;
    ok(&who, OutputState::from(state)).await
}

pub async fn output_seen(State(ctx): State<Ctx>, who: Requester, Id(id): Id) -> Answer {
    let seen = ctx.app.output_seen(FlowRunId::from_uuid(id)).await?;
    ok(&who, OutputSeen::from(seen)).await
}

//! Routes of log lines.

pub mod pages;
pub mod wire;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;

use super::extract::{Body, Id};
use super::wire::LogQuery;
use super::{Answer, ok};
use crate::api::Ctx;
use crate::api::access::Need;
use crate::api::describe::{Routes, Talk};
use crate::domain::ids::FlowRunId;
use axum::routing::{get, post};
use pages::{LinesPage, LinesQuery, OutputSeen, OutputState};
use wire::{Log, LogCreate};

/// What there is to ask.
pub fn routes(routes: Routes) -> Routes {
    routes
        .add(
            "POST /logs/",
            "Keeps log lines",
            Talk::plain("any")
                .asks_many::<LogCreate>()
                .needs(Need::Lines),
            post(create),
        )
        .add(
            "POST /logs/filter",
            "Finds log lines",
            Talk::many::<Log>().asks::<LogQuery>().needs(Need::Read),
            post(filter),
        )
        .add(
            "POST /prefectd/logs/page",
            "Reads a run's log from a place on, or what has arrived since",
            Talk::one::<LinesPage>()
                .asks::<LinesQuery>()
                .needs(Need::Inspect),
            post(page),
        )
        .add(
            "GET /prefectd/flow_runs/{id}/output",
            "Tells whether a run's log is complete",
            Talk::one::<OutputState>().needs(Need::Inspect),
            get(output),
        )
        .add(
            "GET /prefectd/flow_runs/{id}/output_seen",
            "Tells how much of a run's output is stored",
            Talk::one::<OutputSeen>().needs(Need::Inspect),
            get(output_seen),
        )
}

pub async fn create(State(ctx): State<Ctx>, Body(lines): Body<Vec<LogCreate>>) -> Answer {
    let lines = lines.into_iter().map(Into::into).collect();
    ctx.app.create_logs(lines).await?;
    Ok(StatusCode::CREATED.into_response())
}

pub async fn filter(State(ctx): State<Ctx>, Body(query): Body<LogQuery>) -> Answer {
    let (criteria, sort, page) = query.parts()?;
    let lines = ctx.app.logs(criteria, sort, page).await?;
    ok(lines.into_iter().map(Log::from).collect::<Vec<_>>())
}

pub async fn page(State(ctx): State<Ctx>, Body(query): Body<LinesQuery>) -> Answer {
    let page = ctx.app.lines(query.try_into()?).await?;
    ok(LinesPage::from(page))
}

pub async fn output(State(ctx): State<Ctx>, Id(id): Id) -> Answer {
    let state = ctx.app.output_state(FlowRunId::from_uuid(id)).await?;
    ok(OutputState::from(state))
}

pub async fn output_seen(State(ctx): State<Ctx>, Id(id): Id) -> Answer {
    let seen = ctx.app.output_seen(FlowRunId::from_uuid(id)).await?;
    ok(OutputSeen::from(seen))
}

//! Routes of log lines.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;

use super::super::Ctx;
use super::extract::Body;
use super::wire::{Log, LogCreate, LogQuery};
use super::{Answer, ok};

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

//! Routes of log lines.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;

use super::super::Ctx;
use super::Answer;
use super::ask::Ask;
use super::ok;
use super::read::{Fields, Need, list, within};
use super::wire::{self, LogOut};
use crate::domain::filter::{MAX_PAGE, Page};

pub async fn create(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let lines = ask.body(list(wire::new_log));
    ctx.app.create_logs(ask.done(lines)?).await?;
    Ok((StatusCode::CREATED, axum::Json(())).into_response())
}

pub async fn filter(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let asked = ask.embedded(|fields| {
        let page = page(fields);
        let criteria = wire::log_criteria(fields);
        let sort = wire::log_sort(fields);
        Some((criteria?, sort?, page?))
    });
    let (criteria, sort, page) = ask.done(asked)?;
    let lines = ctx.app.logs(criteria, sort, page).await?;
    ok(lines.iter().map(LogOut::from).collect::<Vec<_>>())
}

/// The client sends `limit: null` here and means a page.
fn page(fields: &mut Fields<'_, '_>) -> Option<Page> {
    let most = MAX_PAGE as i64;
    let limit = fields.field("limit", Need::Optional, within(0, most));
    let offset = fields.default("offset", within(0, i64::MAX), || 0);
    Some(Page {
        limit: limit.or(|| most)?.unsigned_abs(),
        offset: offset?.unsigned_abs(),
    })
}

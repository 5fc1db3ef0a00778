//! Routes of log lines.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;

use super::super::Ctx;
use super::Answer;
use super::aimed::Aimed;
use super::ok;
use super::read::{self, Fields, within};
use super::request_reader::RequestReader;
use super::shapes::{LOG_QUERY, like, lines};
use super::wire::{self, LogOut};
use crate::api::Operation;
use crate::api::access::Requester;
use crate::domain::access::Need;
use crate::domain::filter::{Criteria, MAX_PAGE, Page, Test, log};
use crate::domain::log::NewLog;

/// What there is to request.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/logs/", "Keeps log lines")
            .asks_like(lines())
            .tells("any")
            .aims(create),
        Operation::post("/logs/filter", "Finds log lines")
            .asks_like(like(LOG_QUERY))
            .lists::<LogOut>()
            .needs(Need::Read, filter),
    ]
}

pub async fn create(State(ctx): State<Ctx>, aimed: Aimed<Vec<NewLog>>) -> Answer {
    ctx.app.create_logs(aimed.asked).await?;
    Ok((StatusCode::CREATED, axum::Json(())).into_response())
}

pub async fn filter(State(ctx): State<Ctx>, who: Requester, mut request: RequestReader) -> Answer {
    let asked = request.embedded(|fields| {
        let page = page(fields);
        let criteria = wire::log_criteria(fields);
        let sort = wire::log_sort(fields);
        Some((criteria?, sort?, page?))
    });
    let (criteria, sort, page) = request.done(asked)?;
    let lines = ctx.app.logs(of_flow_runs(criteria), sort, page).await?;
    ok(
        &who,
        lines.iter().filter_map(LogOut::of).collect::<Vec<_>>(),
    )
    .await
}

/// Only lines that a flow run said: that generation knows no others.
fn of_flow_runs(criteria: Criteria) -> Criteria {
    let is_of_one = log::FLOW_RUN_ID.asked(Test::IsNull(false));
    Criteria::All(vec![criteria, Criteria::One(is_of_one)])
}

/// The client sends `limit: null` here and means a page.
fn page(fields: &mut Fields<'_, '_>) -> Option<Page> {
    let most = MAX_PAGE as i64;
    let limit = fields.field("limit", read::Presence::Optional, within(0, most));
    let offset = fields.default("offset", within(0, i64::MAX), || 0);
    Some(Page {
        limit: limit.or(|| most)?.unsigned_abs(),
        offset: offset?.unsigned_abs(),
    })
}

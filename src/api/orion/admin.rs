//! Is anybody there?

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;

use super::super::Ctx;
use super::read::{Fields, boolean};
use super::request_reader::RequestReader;
use super::shapes::like;
use super::{Answer, no_content, ok};
use crate::api::Operation;
use crate::api::access::Requester;
use crate::domain::access::Need;

/// What there is to request.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/admin/hello", "Waves")
            .tells("string")
            .needs(Need::Inspect, hello),
        Operation::get(
            "/admin/version",
            "Tells the version of Prefect that is spoken",
        )
        .tells("string")
        .needs(Need::Inspect, version),
        Operation::get("/health", "Tells that the process answers")
            .tells("boolean")
            .needs(Need::Open, health),
        Operation::get("/ready", "Tells that the database takes writes")
            .tells("boolean")
            .needs(Need::Read, ready),
        Operation::post("/admin/database/clear", "Empties the database")
            .asks_like(like("confirm?: boolean"))
            .is_silent()
            .needs(Need::Operate, clear),
        Operation::post("/admin/database/drop", "Empties the database")
            .asks_like(like("confirm?: boolean"))
            .is_silent()
            .needs(Need::Operate, clear),
        Operation::post(
            "/admin/database/create",
            "Makes sure that the tables are there",
        )
        .asks_like(like("confirm?: boolean"))
        .is_silent()
        .needs(Need::Operate, create),
    ]
}

/// The version that this dialect is.
const VERSION: &str = "2.0a7";

/// A wave.
pub async fn hello(who: Requester) -> Answer {
    ok(&who, "👋").await
}

/// The version of Prefect that this dialect speaks.
pub async fn version(who: Requester) -> Answer {
    ok(&who, VERSION).await
}

/// True while the process answers.
pub async fn health(who: Requester) -> Answer {
    ok(&who, true).await
}

/// True once a transaction has gone through the writer.
pub async fn ready(State(ctx): State<Ctx>, who: Requester) -> Answer {
    ctx.app.check_writer().await?;
    ok(&who, true).await
}

/// Empties the database, when the caller confirms it. Dropping it means the same here: the
/// tables are the daemon's own.
pub async fn clear(State(ctx): State<Ctx>, mut request: RequestReader) -> Answer {
    let confirmed = request.embedded(confirmed);
    match request.done(confirmed)? {
        true => {
            ctx.app.clear_database().await?;
            no_content()
        }
        false => Ok(StatusCode::BAD_REQUEST.into_response()),
    }
}

/// The database is always there.
pub async fn create(mut request: RequestReader) -> Answer {
    let confirmed = request.embedded(confirmed);
    match request.done(confirmed)? {
        true => no_content(),
        false => Ok(StatusCode::BAD_REQUEST.into_response()),
    }
}

fn confirmed(fields: &mut Fields<'_, '_>) -> Option<bool> {
    fields.default("confirm", boolean, || false)
}

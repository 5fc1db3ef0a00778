//! Is anybody there?

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;

use super::super::Ctx;
use super::ask::Ask;
use super::read::{Fields, boolean};
use super::{Answer, no_content, ok};

/// The version that this dialect is.
const VERSION: &str = "2.0a7";

/// A wave.
pub async fn hello() -> Answer {
    ok("👋")
}

/// The version of Prefect that this dialect speaks.
pub async fn version() -> Answer {
    ok(VERSION)
}

/// True while the process answers.
pub async fn health() -> Answer {
    ok(true)
}

/// True once a transaction has gone through the writer.
pub async fn ready(State(ctx): State<Ctx>) -> Answer {
    ctx.app.check_writer().await?;
    ok(true)
}

/// Empties the database, when the caller confirms it. Dropping it means the same here: the
/// tables are the daemon's own.
pub async fn clear(State(ctx): State<Ctx>, mut ask: Ask) -> Answer {
    let confirmed = ask.embedded(confirmed);
    match ask.done(confirmed)? {
        true => {
            ctx.app.clear_database().await?;
            no_content()
        }
        false => Ok(StatusCode::BAD_REQUEST.into_response()),
    }
}

/// The database is always there.
pub async fn create(mut ask: Ask) -> Answer {
    let confirmed = ask.embedded(confirmed);
    match ask.done(confirmed)? {
        true => no_content(),
        false => Ok(StatusCode::BAD_REQUEST.into_response()),
    }
}

fn confirmed(fields: &mut Fields<'_, '_>) -> Option<bool> {
    fields.default("confirm", boolean, || false)
}

//! Is anybody there?

use axum::extract::State;

use super::super::Ctx;
use super::{Answer, ok};

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

//! Backups over the wire.

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use futures_util::stream;

use super::Answer;
use crate::api::Ctx;

/// Sends an archive of everything. One that is cut off is not complete, which the client
/// sees from the way the answer ends.
pub async fn backup(State(ctx): State<Ctx>) -> Answer {
    let pieces = ctx.app.backup().await?;
    let body = stream::unfold(pieces, |mut pieces| async {
        pieces.recv().await.map(|piece| (piece, pieces))
    });
    let kind = [(header::CONTENT_TYPE, "application/x-tar")];
    Ok((kind, Body::from_stream(body)).into_response())
}

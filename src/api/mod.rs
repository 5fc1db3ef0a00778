//! The HTTP edge: one router, served on every listener, speaking two dialects.
//!
//! A request's dialect is settled once, before routing ([`dialect`]); from there on it is
//! handled by `orion` (the 2.0a7 generation) or `v3` (the modern API), which never see each
//! other. Both are thin: extract, one verb of `app`, render.

mod about;
pub mod access;
mod body;
pub mod caller;
mod describe;
pub mod dialect;
mod docs;
mod error;
mod key;
mod metrics;
pub mod orion;
mod premises;
mod room;
pub mod v3;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower::{Layer, Service, util::MapRequestLayer};
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::App;

pub use about::About;
pub use access::{Gate, Neighbours, Rules};
pub use caller::Caller;
pub use premises::Premises;
use room::Room;

/// The largest body that is read, in bytes.
pub const MAX_BODY: usize = 32 * 1024 * 1024;

/// What every handler has at hand.
#[derive(Clone)]
pub struct Ctx {
    /// The verbs.
    pub app: App,
    /// What the daemon says of itself.
    pub about: About,
    /// What only the daemon can look at.
    pub premises: Arc<dyn Premises>,
}

/// The service behind every listener; nothing passes but through the gate.
pub fn service(
    ctx: Ctx,
    gate: Gate,
) -> impl Service<Request, Response = Response, Error = std::convert::Infallible, Future: Send>
+ Clone
+ Send
+ 'static {
    let (orion, orion_described) = orion::routes();
    let (v3, v3_described) = v3::routes();
    let router = Router::new()
        .nest(dialect::ORION, orion)
        .nest(dialect::V3, v3)
        .merge(docs::routes(v3_described, orion_described))
        .route("/", get(front_door))
        .route("/metrics", get(metrics::text))
        .fallback(not_found)
        .layer(CatchPanicLayer::custom(panicked))
        .with_state(ctx);
    // The gate reads bodies, too, so it needs its share of the room.
    let within = middleware::from_fn_with_state(Room::new(), within_room);
    let gated = metrics::Timed.layer(within.layer(gate.layer(router)));
    MapRequestLayer::new(dialect::settle::<axum::body::Body>).layer(gated)
}

async fn within_room(State(room): State<Room>, request: Request, next: Next) -> Response {
    room.answer(request, |request| next.run(request)).await
}

async fn front_door() -> &'static str {
    "prefectd: the Prefect API is under /api/, and described at /docs\n"
}

async fn not_found() -> Response {
    let detail = serde_json::json!({ "detail": "Not Found" });
    (StatusCode::NOT_FOUND, axum::Json(detail)).into_response()
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a request handler panicked");
    let detail = serde_json::json!({ "detail": "Internal Server Error" });
    (StatusCode::INTERNAL_SERVER_ERROR, axum::Json(detail)).into_response()
}

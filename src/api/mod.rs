//! The HTTP edge: one router, served on every listener, speaking two dialects.
//!
//! A request's dialect is settled once, before routing ([`dialect`]); from there on it is
//! handled by `orion` (the 2.0a7 generation) or `v3` (the modern API), which never see each
//! other. Both are thin: extract, one verb of `app`, render.

mod about;
pub mod access;
mod answer;
mod aside;
mod body;
mod browsers;
pub mod caller;
mod describe;
pub mod dialect;
mod docs;
mod error;
mod json;
mod key;
mod metrics;
pub mod orion;
mod panics;
mod premises;
mod room;
pub mod v3;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower::{Layer, Service, util::MapRequestLayer};

use crate::app::App;

pub use about::About;
pub use access::{Gate, Neighbours, Rules};
use access::{Need, Needs};
pub use browsers::{Browsers, Sites};
pub use caller::Caller;
use panics::PanicGuard;
pub use premises::Premises;
use room::Room;

/// The largest body that is read, in bytes.
pub const MAX_BODY: usize = 32 * 1024 * 1024;

/// What is there beside the dialects: texts that tell of the daemon.
const PAGES: [&str; 4] = ["/", "/metrics", "/docs", "/openapi.json"];

/// What every handler has at hand, shared by all requests.
pub type Ctx = Arc<AtHand>;

/// The parts of [`Ctx`].
pub struct AtHand {
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
    sites: Sites,
) -> impl Service<Request, Response = Response, Error = std::convert::Infallible, Future: Send>
+ Clone
+ Send
+ 'static {
    let (orion, orion_described) = orion::routes();
    let (v3, v3_described) = v3::routes();
    let needs = orion_described.needs().chain(v3_described.needs());
    let pages = PAGES.map(|page| (Method::GET, page.to_owned(), Need::Page));
    let needs = Needs::new(needs.chain(pages));
    let router = Router::new()
        .merge(orion)
        .merge(v3)
        .merge(docs::routes(v3_described, orion_described))
        .route("/", get(front_door))
        .route("/metrics", get(metrics::text))
        .fallback(elsewhere)
        .with_state(ctx);
    // Layers are around the router as a whole: one that is added to it is boxed route by route.
    let router =
        MapRequestLayer::new(orion::without_head).layer(key::Once.layer(PanicGuard.layer(router)));
    let browsers = Browsers::new(sites, gate.needs_key());
    // The gate reads bodies, too, so it needs its share of the room.
    let roomy = Room::new().layer(gate.before(needs).layer(router));
    let gated = metrics::Timed.layer(browsers.layer(roomy));
    MapRequestLayer::new(dialect::settle::<axum::body::Body>).layer(gated)
}

async fn front_door() -> &'static str {
    "prefectd: the Prefect API is under /api/, and described at /docs\n"
}

/// No route is there.
async fn elsewhere(request: Request) -> Response {
    let elsewhere = orion::mended(request.uri(), request.headers(), request.extensions());
    body::leave(request);
    if let Some(elsewhere) = elsewhere {
        return elsewhere;
    }
    let detail = serde_json::json!({ "detail": "Not Found" });
    (StatusCode::NOT_FOUND, axum::Json(detail)).into_response()
}

//! The HTTP edge: one router, served on every listener, speaking two dialects.
//!
//! A request's dialect is settled once, before routing ([`dialect`]); from there on it is
//! handled by `orion` (the 2.0a7 generation) or `v3` (the modern API), which never see each
//! other. Both are thin: extract, one verb of `app`, render.

mod about;
pub mod access;
mod answer;
mod aside;
pub(crate) mod body;
mod body_budget;
mod browsers;
pub mod caller;
mod client;
mod compat;
mod compressed;
pub mod dialect;
mod docs;
mod earlier;
pub(crate) mod error;
mod host_probe;
mod json;
mod key;
mod metrics;
mod openapi;
pub mod operation;
pub mod orion;
mod panics;
pub(crate) mod redaction;
mod run_key;
pub(crate) mod sockets;
pub mod v3;
mod versions;
mod whereabouts;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use tower::{Layer, Service, util::MapRequestLayer};

use crate::app::App;
pub use crate::domain::access::Need;
pub use about::About;
use access::Guarded;
pub use access::{Gate, PeerLookup, Rules};
use body_budget::BodyBudget;
pub use browsers::{Browsers, Sites};
pub use caller::Caller;
pub use compat::Compat;
pub use host_probe::HostProbe;
pub use operation::Operation;
use operation::Routes;
pub use sockets::Sockets;

/// The largest body that is read, in bytes.
pub const MAX_BODY: usize = 32 * 1024 * 1024;

/// What every handler has at hand, shared by all requests.
pub type Ctx = Arc<ApiState>;

/// The parts of [`Ctx`].
pub struct ApiState {
    /// The verbs.
    pub app: App,
    /// What the daemon says of itself.
    pub about: About,
    /// What only the daemon can look at.
    pub host: Arc<dyn HostProbe>,
    /// Finds out who asks.
    pub gate: Gate,
    /// What clients send that is not known here.
    pub compat: Compat,
    /// The websockets there are.
    pub sockets: Sockets,
    /// Where Prefect's own UI is.
    pub bundle: Bundle,
}

/// Where Prefect's own UI is, if it is there at all.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// The folder of its files.
    pub folder: PathBuf,
    /// Whether it has `/`, and the daemon's pages are below another path.
    pub is_at_root: bool,
}

/// What is served to browsers beside the dialects.
pub struct Pages {
    /// Pages, and what can be pressed on them.
    pub operations: Vec<Operation>,
    /// Answers a browser that asks for a page that is not there.
    pub lost: Lost,
}

/// See [`Pages::lost`].
pub type Lost = fn(Request, Ctx) -> BoxFuture<'static, Response>;

/// An operation as it is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Its method.
    pub method: Method,
    /// Its whole path, with its parameters in braces.
    pub path: String,
    /// What it needs of who asks.
    pub need: Need,
}

/// Every operation that is served.
pub fn declared() -> Vec<Declared> {
    let dialects: Arc<[Routes]> = Arc::new([v3::routes(), orion::routes()]);
    let texts = texts(&dialects);
    let all = dialects.iter().chain([&texts]).flat_map(|routes| {
        let operations = routes.operations().iter();
        operations.map(|operation| Declared {
            method: operation.method().clone(),
            path: format!("{}{}", routes.prefix(), operation.path()),
            need: operation.need(),
        })
    });
    all.collect()
}

/// What is there beside the dialects: texts that tell of the daemon.
fn texts(dialects: &Arc<[Routes]>) -> Routes {
    let mut texts = docs::operations(dialects);
    let figures = Operation::get("/metrics", "Tells all that is counted");
    texts.push(figures.needs(Need::Inspect, metrics::text));
    Routes::below("", texts)
}

/// The service behind every listener, with pages beside the dialects. Each operation is behind the gate, and so is what answers
/// where there is none.
pub fn service(
    ctx: Ctx,
    sites: Sites,
    pages: Pages,
) -> impl Service<Request, Response = Response, Error = std::convert::Infallible, Future: Send>
+ Clone
+ Send
+ 'static {
    let browsers = Browsers::new(sites, ctx.gate.needs_key());
    let dialects: Arc<[Routes]> = Arc::new([v3::routes(), orion::routes()]);
    let router = dialects
        .iter()
        .chain([&texts(&dialects), &Routes::below("", pages.operations)])
        .fold(Router::new(), |router, routes| {
            router.merge(routes.router().method_not_allowed_fallback(wrong_method))
        });
    let lost = pages.lost;
    let elsewhere = move |State(ctx): State<Ctx>, request: Request| elsewhere(ctx, request, lost);
    let router = router.fallback(elsewhere).with_state(ctx);
    // Layers are around the router as a whole: one that is added to it is boxed route by route.
    let router = v3::shapes::Told.layer(compressed::compressed(panics::caught(router)));
    let router = key::Once.layer(versions::Checked.layer(router));
    let router = MapRequestLayer::new(orion::without_head).layer(router);
    let gated = browsers.layer(BodyBudget::new().layer(router));
    let gated = metrics::Timed.layer(earlier::Translated.layer(gated));
    let settled = |request| dialect::settle(run_key::taken_out::<axum::body::Body>(request));
    MapRequestLayer::new(settled).layer(gated)
}

/// No route is there. A path that is sent on to where one is asks no more than to be told so.
async fn elsewhere(ctx: Ctx, request: Request, lost: Lost) -> Response {
    if orion::is_mended(request.uri().path()) {
        return Guarded::new(Need::Read, sent_on).call(request, ctx).await;
    }
    if wants_page(&request) {
        let page = move |State(ctx): State<Ctx>, request: Request| lost(request, ctx);
        return Guarded::new(Need::Inspect, page).call(request, ctx).await;
    }
    let nowhere = Guarded::new(Need::Operate, nowhere);
    nowhere.call(request, ctx).await
}

/// Whether a browser asks for something to show, and not a program for something of the API.
fn wants_page(request: &Request) -> bool {
    let accepts = request.headers().get(header::ACCEPT);
    let accepts = accepts.and_then(|value| value.to_str().ok());
    matches!(*request.method(), Method::GET | Method::HEAD)
        && accepts.is_some_and(|kinds| kinds.contains("text/html"))
        && !dialect::within(request.uri().path(), "/api")
}

async fn sent_on(request: Request) -> Response {
    let elsewhere = orion::mended(request.uri(), request.headers(), request.extensions());
    match elsewhere {
        Some(elsewhere) => {
            body::leave(request);
            elsewhere
        }
        None => nowhere(request).await,
    }
}

async fn nowhere(request: Request) -> Response {
    body::leave(request);
    let detail = serde_json::json!({ "detail": "Not Found" });
    (StatusCode::NOT_FOUND, axum::Json(detail)).into_response()
}

/// The path is a route, but not for this method.
async fn wrong_method(State(ctx): State<Ctx>, request: Request) -> Response {
    let need = match *request.method() == orion::NO_HEAD {
        true => Need::Read,
        false => Need::Operate,
    };
    Guarded::new(need, not_allowed).call(request, ctx).await
}

async fn not_allowed(request: Request) -> Response {
    body::leave(request);
    let detail = serde_json::json!({ "detail": "Method Not Allowed" });
    (StatusCode::METHOD_NOT_ALLOWED, axum::Json(detail)).into_response()
}

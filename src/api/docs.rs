//! The API's description: `/openapi.json`, and `/docs`, a page that shows it with nothing from
//! elsewhere.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::response::Html;
use axum::routing::get;

use super::Ctx;
use super::describe::Description;
use super::dialect::{ORION, V3};

const PAGE: &str = include_str!("docs.html");

/// The description of both dialects, made when it is first asked for, and the page.
pub fn routes(described: Description, also: Description) -> Router<Ctx> {
    let made: Arc<OnceLock<Bytes>> = Arc::default();
    let dialects = Arc::new([described, also]);
    let document = move || {
        let json = made.get_or_init(|| text(&dialects).into()).clone();
        std::future::ready(([(header::CONTENT_TYPE, "application/json")], json))
    };
    // Below /api as well, as the reference has them; that is either dialect's prefix here.
    let mut routes = Router::new();
    for prefix in ["", ORION, V3] {
        routes = routes.route(&format!("{prefix}/openapi.json"), get(document.clone()));
        for page in ["docs", "redoc"] {
            let path = format!("{prefix}/{page}");
            routes = routes.route(&path, get(|| async { Html(PAGE) }));
        }
    }
    routes
}

fn text([described, also]: &[Description; 2]) -> String {
    let mut document = described.document();
    document.info.description = Some(
        "The control plane of Prefect. Below /api/orion is the dialect of Prefect 2.0a7, below \
         /api/v3 the modern one; below /api alone the caller's version or user agent decides."
            .to_owned(),
    );
    document.merge(also.document());
    // Serializing maps of strings cannot fail; an empty document would be seen at once.
    document.to_json().unwrap_or_default()
}

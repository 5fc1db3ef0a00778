//! The API's description: `/openapi.json`, and `/docs`, a page that shows it with nothing from
//! elsewhere.

use axum::Router;
use axum::http::header;
use axum::response::Html;
use axum::routing::get;
use utoipa::openapi::OpenApi;

use super::Ctx;

const PAGE: &str = include_str!("docs.html");

/// The description of both dialects, and the page.
pub fn routes(mut described: OpenApi, also: OpenApi) -> Router<Ctx> {
    described.info.description = Some(
        "The control plane of Prefect. Below /api/orion is the dialect of Prefect 2.0a7, below \
         /api/v3 the modern one; below /api alone the caller's version or user agent decides."
            .to_owned(),
    );
    described.merge(also);
    // Serializing maps of strings cannot fail; an empty document would be seen at once.
    let json = described.to_json().unwrap_or_default();
    let document = move || async move { ([(header::CONTENT_TYPE, "application/json")], json) };
    Router::new()
        .route("/openapi.json", get(document))
        .route("/docs", get(|| async { Html(PAGE) }))
}

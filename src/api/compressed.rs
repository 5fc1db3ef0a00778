//! Answers to browsers that understand compressed ones: pages and what they are made of. What
//! programs are answered stays as it is, and so does what is told as it happens.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Extensions, HeaderMap, StatusCode, Version, header};
use axum::response::Response;
use tower::{Service, ServiceBuilder};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

/// What is compressed.
const KINDS: &[&str] = &[
    "text/html",
    "text/css",
    "text/javascript",
    "image/svg+xml",
    "application/manifest+json",
];

/// Compresses what `inner` answers where that is a page and whoever asks takes it so.
pub(super) fn compressed<S>(
    inner: S,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone,
{
    let is_page = |_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions| {
        let kind = headers.get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        KINDS.contains(&kind.split(';').next().unwrap_or_default())
    };
    let compressing = CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(is_page);
    ServiceBuilder::new()
        .map_response(|response: Response<_>| response.map(Body::new))
        .layer(compressing)
        .service(inner)
}

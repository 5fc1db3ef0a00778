//! Answers to browsers that understand compressed ones: pages and what they are made of. What
//! programs are answered stays as it is, and so does what is told as it happens.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Extensions, HeaderMap, StatusCode, Version, header};
use axum::response::Response;
use futures_util::future::Either;
use tower::{Service, ServiceBuilder};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

use super::dialect::within;

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
    let pages = ServiceBuilder::new()
        .map_response(|response: Response<_>| response.map(Body::new))
        .layer(compressing)
        .service(inner.clone());
    Compressed { api: inner, pages }
}

/// The service as it is for the API, and with its pages compressed for the rest: programs do not
/// pay for what only browsers get.
#[derive(Clone)]
struct Compressed<A, P> {
    api: A,
    pages: P,
}

impl<A, P> Service<Request> for Compressed<A, P>
where
    A: Service<Request, Response = Response, Error = Infallible>,
    P: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<A::Future, P::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        let (api, pages) = (self.api.poll_ready(context), self.pages.poll_ready(context));
        match (api.is_ready(), pages.is_ready()) {
            (true, true) => Poll::Ready(Ok(())),
            _ => Poll::Pending,
        }
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match within(request.uri().path(), "/api") {
            true => Either::Left(self.api.call(request)),
            false => Either::Right(self.pages.call(request)),
        }
    }
}

//! Answers to browsers that understand compressed ones: pages and what they are made of. What
//! programs are answered stays as it is, and so does what is told as it happens.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{self, Extensions, HeaderMap, StatusCode, Version, header};
use axum::response::Response;
use futures_util::TryFutureExt;
use futures_util::future::{Either, MapOk};
use tower::{Layer, Service};
use tower_http::CompressionLevel;
use tower_http::compression::{
    Compression, CompressionBody, CompressionLayer, Predicate, ResponseFuture,
};

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
    Compressed {
        pages: compressing.layer(inner),
    }
}

/// The service as it is for the API, and with its pages compressed for the rest: programs do not
/// pay for what only browsers get.
#[derive(Clone)]
struct Compressed<S, P> {
    pages: Compression<S, P>,
}

impl<S, P> Service<Request> for Compressed<S, P>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    P: Predicate,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<S::Future, Page<ResponseFuture<S::Future, P>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.pages.get_mut().poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match within(request.uri().path(), "/api") {
            true => Either::Left(self.pages.get_mut().call(request)),
            false => Either::Right(self.pages.call(request).map_ok(as_one as fn(_) -> _)),
        }
    }
}

/// An answer that may be compressed, as any other.
type Page<F> = MapOk<F, fn(http::Response<CompressionBody<Body>>) -> Response>;

fn as_one(answer: http::Response<CompressionBody<Body>>) -> Response {
    answer.map(Body::new)
}

//! Requests that may be sent again because their answer was lost.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, header};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either};
use tower::{Layer, Service};
use uuid::Uuid;

use crate::app::{RequestKey, under};

static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The `Idempotency-Key` of a request, where that is a UUID.
pub struct Key(pub Option<Uuid>);

impl<S: Sync> FromRequestParts<S> for Key {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self(named(&parts.headers)))
    }
}

fn named(headers: &HeaderMap) -> Option<Uuid> {
    let key = headers.get(&IDEMPOTENCY_KEY);
    key.and_then(|key| key.to_str().ok()?.parse().ok())
}

/// The key under which a request is carried out once: of its method, path and length, so that
/// another request under the same key is carried out, too.
fn key_of(request: &Request) -> Option<RequestKey> {
    if request.method() == Method::GET {
        return None;
    }
    let key = named(request.headers())?;
    let path = request.uri().path_and_query();
    let path = path.map_or("", |path| path.as_str()).as_bytes();
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.map_or(&[][..], |length| length.as_bytes());
    let method = request.method().as_str().as_bytes();
    Some(RequestKey::new(key, &[method, path, length]))
}

/// Has the service within carry out requests that have a key once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Once;

/// The service within [`Once`].
#[derive(Clone, Debug)]
pub(super) struct Keyed<S> {
    inner: S,
}

impl<S> Layer<S> for Once {
    type Service = Keyed<S>;

    fn layer(&self, inner: S) -> Keyed<S> {
        Keyed { inner }
    }
}

impl<S> Service<Request> for Keyed<S>
where
    S: Service<Request, Future: Send + 'static, Response: 'static, Error: 'static>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Either<S::Future, BoxFuture<'static, Result<S::Response, S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let key = key_of(&request);
        let answer = self.inner.call(request);
        match key {
            None => Either::Left(answer),
            key => Either::Right(under(key, answer).boxed()),
        }
    }
}

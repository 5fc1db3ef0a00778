//! Clients between the generations: Prefect 2.3 to 2.20.
//!
//! They speak the modern dialect, which has left some of their words behind. This is the one place
//! that knows those words, on the edge of that dialect: a path that has moved is turned into the
//! one where it is now ([`paths`]), fields of requests into those that mean the same
//! ([`requests`], which the readers of bodies ask), and answers get the fields that these clients
//! look for ([`answers`]). Nobody else is told or understood so.

mod answers;
mod paths;
mod requests;

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::future::{BoxFuture, Either};
use futures_util::{FutureExt, TryFutureExt};
use http_body_util::BodyExt;
use tower::{Layer, Service};

use super::aside::aside;
use super::client::{Earlier, earlier};
use super::dialect::V3;
pub(super) use requests::translate;

/// Has the service within be asked and answer in the words of whoever asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Translated;

/// The service within [`Translated`].
#[derive(Clone, Debug)]
pub(super) struct Translating<S> {
    inner: S,
}

impl<S> Layer<S> for Translated {
    type Service = Translating<S>;

    fn layer(&self, inner: S) -> Translating<S> {
        Translating { inner }
    }
}

impl<S> Service<Request> for Translating<S>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send + 'static>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<S::Future, BoxFuture<'static, Result<Response, Infallible>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let is_modern = request.uri().path().starts_with(V3);
        let Some(client) = earlier(request.headers()).filter(|_| is_modern) else {
            return Either::Left(self.inner.call(request));
        };
        if let Some(now) = paths::now(request.uri()) {
            *request.uri_mut() = now;
        }
        let noun = answers::noun(request.uri().path());
        let answer = self.inner.call(request);
        Either::Right(answer.and_then(move |it| told(it, client, noun)).boxed())
    }
}

/// The answer as such a client reads it.
async fn told(
    answer: Response,
    client: Earlier,
    noun: Option<answers::Noun>,
) -> Result<Response, Infallible> {
    let answer = softened(answer, client);
    let Some(noun) = noun.filter(|noun| answer.status().is_success() && noun.concerns(client))
    else {
        return Ok(answer);
    };
    let (mut head, body) = answer.into_parts();
    // It is in memory already, but for what is no JSON.
    let is_json = head.headers.get(header::CONTENT_TYPE);
    if is_json.is_none_or(|kind| kind != "application/json") {
        return Ok(Response::from_parts(head, body));
    }
    let Ok(whole) = body.collect().await else {
        return Ok(failed());
    };
    let whole = whole.to_bytes();
    let told = aside(whole.len(), || answers::told(&whole, noun, client));
    let body = told.map_or_else(|| Body::from(whole), Body::from);
    head.headers.remove(header::CONTENT_LENGTH);
    Ok(Response::from_parts(head, body))
}

/// Clients before API 0.8.4 give their run up at a 503, and come again after a 429 that says when.
fn softened(mut answer: Response, client: Earlier) -> Response {
    if answer.status() == StatusCode::SERVICE_UNAVAILABLE && !client.waits_at_503() {
        *answer.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        let headers = answer.headers_mut();
        headers
            .entry(header::RETRY_AFTER)
            .or_insert(HeaderValue::from_static("1"));
    }
    answer
}

/// An answer that broke off.
fn failed() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

#[cfg(test)]
mod tests;

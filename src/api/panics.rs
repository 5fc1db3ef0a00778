//! A handler that panics answers 500, and the connection lives on.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use futures_util::future::{CatchUnwind, Map};
use tower::{Layer, Service};

/// Catches the panics of the service within.
#[derive(Clone, Copy, Debug)]
pub(super) struct PanicGuard;

/// The service within [`PanicGuard`].
#[derive(Clone, Debug)]
pub(super) struct Guarded<S> {
    inner: S,
}

/// How an answer ended: well, or in a panic with its message.
type Ended<E> = Result<Result<Response, E>, Box<dyn Any + Send>>;

impl<S> Layer<S> for PanicGuard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner }
    }
}

impl<S: Service<Request, Response = Response>> Service<Request> for Guarded<S> {
    type Response = Response;
    type Error = S::Error;
    type Future = Map<
        CatchUnwind<AssertUnwindSafe<S::Future>>,
        fn(Ended<S::Error>) -> Result<Response, S::Error>,
    >;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // What is shared between requests are locks, which know of panics, and atomics.
        AssertUnwindSafe(self.inner.call(request))
            .catch_unwind()
            .map(answer)
    }
}

fn answer<E>(ended: Ended<E>) -> Result<Response, E> {
    ended.unwrap_or_else(|_| {
        tracing::error!("a request handler panicked");
        let detail = serde_json::json!({ "detail": "Internal Server Error" });
        Ok((StatusCode::INTERNAL_SERVER_ERROR, axum::Json(detail)).into_response())
    })
}

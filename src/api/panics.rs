//! A handler that panics answers 500, and the connection lives on.

use std::any::Any;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tower::{Service, ServiceBuilder};

/// The service, with its panics caught. What is shared between requests are locks, which know of
/// panics, and atomics.
pub(super) fn caught<S>(
    inner: S,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone,
{
    // The layer of tower-http boxes each body, which is a percent of a short answer.
    ServiceBuilder::new()
        .map_future(|answer: S::Future| {
            let ended = AssertUnwindSafe(answer).catch_unwind();
            ended.map(|ended| ended.unwrap_or_else(|panic| Ok(failed(panic.as_ref()))))
        })
        .service(inner)
}

fn failed(_panic: &(dyn Any + Send)) -> Response {
    tracing::error!("a request handler panicked");
    let detail = serde_json::json!({ "detail": "Internal Server Error" });
    (StatusCode::INTERNAL_SERVER_ERROR, axum::Json(detail)).into_response()
}

//! A handler that panics answers 500, and the connection lives on.

use std::any::Any;
use std::convert::Infallible;

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tower::{Service, ServiceBuilder};
use tower_http::catch_panic::CatchPanicLayer;

/// The service, with its panics caught. What is shared between requests are locks, which know of
/// panics, and atomics.
pub(super) fn caught<S>(
    inner: S,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone,
{
    ServiceBuilder::new()
        .map_response(|response: Response<_>| response.map(Body::new))
        .layer(CatchPanicLayer::custom(answer))
        .service(inner)
}

fn answer(_panic: Box<dyn Any + Send>) -> Response {
    tracing::error!("a request handler panicked");
    let detail = serde_json::json!({ "detail": "Internal Server Error" });
    (StatusCode::INTERNAL_SERVER_ERROR, axum::Json(detail)).into_response()
}

//! How much of what clients send is held at once, all requests together.
//!
//! A body is in memory until its request is answered, and so is what was made of it. Small
//! ones are bounded by the number of connections. Each larger one takes its share of a budget
//! first; who gets none in time is told to come again.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either};
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::{Layer, Service};

use super::MAX_BODY;

/// What all larger bodies together may hold, in bytes.
const BUDGET: usize = 2 * MAX_BODY;
/// Up to this a body is small.
const SMALL: usize = 16 * 1024;
/// How long a request waits for its share.
const PATIENCE: Duration = Duration::from_secs(2);
/// Where documents come in.
const DOCUMENTS: &str = "/api/orion/data/persist";
/// What is counted: a semaphore's count is not made for bytes.
const UNIT: usize = 1024;

/// The budget; clones share it.
#[derive(Clone)]
pub(super) struct Room {
    free: Arc<Semaphore>,
    patience: Duration,
}

impl Room {
    /// All of it free.
    pub fn new() -> Self {
        Self {
            free: Arc::new(Semaphore::new(BUDGET / UNIT)),
            patience: PATIENCE,
        }
    }

    /// Has a larger request answered while its body has a share of the budget.
    async fn answer<S>(
        self,
        size: usize,
        request: Request,
        mut next: S,
    ) -> Result<Response, S::Error>
    where
        S: Service<Request, Response = Response>,
    {
        match self.share(size).await {
            Some(_share) => next.call(request).await,
            None => Ok(too_busy()),
        }
    }

    async fn share(&self, size: usize) -> Option<OwnedSemaphorePermit> {
        let units = u32::try_from(size.div_ceil(UNIT)).ok()?;
        let share = Arc::clone(&self.free).acquire_many_owned(units);
        tokio::time::timeout(self.patience, share).await.ok()?.ok()
    }
}

impl<S> Layer<S> for Room {
    type Service = Roomy<S>;

    fn layer(&self, inner: S) -> Roomy<S> {
        let room = self.clone();
        Roomy { room, inner }
    }
}

/// A service whose larger requests take their share of the room first.
#[derive(Clone)]
pub(super) struct Roomy<S> {
    room: Room,
    inner: S,
}

impl<S> Service<Request> for Roomy<S>
where
    S: Service<Request, Response = Response, Future: Send> + Clone + Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Either<S::Future, BoxFuture<'static, Result<Response, S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // A document passes through, on its way to the disk.
        let size = match request.uri().path() == DOCUMENTS {
            true => 0,
            false => held(request.headers()),
        };
        if size <= SMALL {
            return Either::Left(self.inner.call(request));
        }
        // The service that is ready is this one; its clone is for the next request.
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        Either::Right(self.room.clone().answer(size, request, inner).boxed())
    }
}

/// How much of a request's body may be in memory at once: what it announces, up to what is
/// read. One that announces nothing may become as large as any.
fn held(headers: &HeaderMap) -> usize {
    let announced = headers.get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    match announced {
        Some(size) => size.min(MAX_BODY),
        None if headers.contains_key(header::TRANSFER_ENCODING) => MAX_BODY,
        // HTTP/1.1 has no body without either header.
        None => 0,
    }
}

fn too_busy() -> Response {
    tracing::warn!("more is being sent than fits; a request was sent away");
    let detail =
        json!({ "detail": "The server is too busy for large requests; try again in a moment." });
    let soon = [(header::RETRY_AFTER, HeaderValue::from_static("1"))];
    (StatusCode::SERVICE_UNAVAILABLE, soon, axum::Json(detail)).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn sending(bytes: usize) -> Request {
        let request = Request::post("/").header(header::CONTENT_LENGTH, bytes);
        request.body(Body::empty()).unwrap()
    }

    /// What a service that is always well makes of a request in that room.
    async fn answered(room: &Room, request: Request) -> Response {
        let well = async |_| Ok::<_, std::convert::Infallible>(StatusCode::OK.into_response());
        let well = tower::service_fn(well);
        room.layer(well).call(request).await.unwrap()
    }

    #[tokio::test]
    async fn large_bodies_share_the_budget_and_small_ones_need_none() {
        let room = Room {
            patience: Duration::ZERO,
            ..Room::new()
        };
        let all = room.share(BUDGET).await.unwrap();
        let refused = answered(&room, sending(MAX_BODY)).await;
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers()[header::RETRY_AFTER], "1");
        let small = answered(&room, sending(SMALL)).await;
        assert_eq!(small.status(), StatusCode::OK);
        drop(all);
        // More than is ever read takes no more than that.
        let large = answered(&room, sending(usize::MAX)).await;
        assert_eq!(large.status(), StatusCode::OK);
        assert_eq!(room.free.available_permits(), BUDGET / UNIT);
    }

    #[test]
    fn a_body_of_unknown_length_counts_as_a_large_one() {
        let chunked = Request::post("/").header(header::TRANSFER_ENCODING, "chunked");
        let chunked = chunked.body(Body::empty()).unwrap();
        assert_eq!(held(chunked.headers()), MAX_BODY);
        let without = Request::get("/").body(Body::empty()).unwrap();
        assert_eq!(held(without.headers()), 0);
    }
}

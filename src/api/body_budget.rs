//! The budget of memory for bodies, all requests together.
//!
//! A body is in memory until its request is answered, and so is what was made of it. Small ones
//! are bounded by the number of connections. What larger ones hold is counted as it comes in,
//! not as it is announced, and only once somebody reads it: who is refused by the guard takes
//! none of it. Whoever gets no share in time is told to come again.
//!
//! The socket, the relay and TCP have pools of their own, so that none starves the others. In
//! each, a body of up to [`LARGE`] takes from a common pool as much as has come; a larger one
//! needs one of few [`SLOTS`], and while another waits for a slot, one that comes too slowly
//! loses it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::future::{BoxFuture, Either};
use futures_util::{FutureExt, stream};
use http_body_util::BodyExt;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::{Layer, Service};

use super::MAX_BODY;
use super::caller::{Caller, End};

/// Up to this a body is small.
const SMALL: usize = 16 * 1024;
/// Beyond this a body needs a slot.
const LARGE: usize = 1024 * 1024;
/// How much bodies without a slot may hold together, in bytes.
const COMMON: usize = 24 * 1024 * 1024;
/// How many bodies may be beyond [`LARGE`] at once.
const SLOTS: usize = 2;
/// How long a request waits for its share.
const TIMEOUT: Duration = Duration::from_secs(10);
/// What a body brings in a second at least that keeps a slot for which others wait.
const LEAST_PER_SECOND: usize = 512 * 1024;
/// For how long nobody is asked to leave a slot.
const GRACE: Duration = Duration::from_secs(2);
/// How often a body in a slot looks whether it keeps others waiting.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// Where documents come in.
const DOCUMENTS: &str = "/api/orion/data/persist";
/// What is counted: a semaphore's count is not made for bytes.
const UNIT: usize = 1024;

/// The rooms; clones share them.
#[derive(Clone)]
pub(super) struct BodyBudget(Arc<[Pool; 3]>);

/// What there is for one kind of callers.
struct Pool {
    common: Arc<Semaphore>,
    slots: Arc<Semaphore>,
    /// How many wait for a slot.
    waiting: AtomicUsize,
    timeout: Duration,
}

impl Pool {
    fn new() -> Self {
        Self {
            common: Arc::new(Semaphore::new(COMMON / UNIT)),
            slots: Arc::new(Semaphore::new(SLOTS)),
            waiting: AtomicUsize::new(0),
            timeout: TIMEOUT,
        }
    }
}

impl BodyBudget {
    /// All of it free.
    pub fn new() -> Self {
        Self(Arc::new([Pool::new(), Pool::new(), Pool::new()]))
    }

    /// Has a larger request answered while what its body brings has its share.
    async fn answer<S>(self, mut request: Request, mut next: S) -> Result<Response, S::Error>
    where
        S: Service<Request, Response = Response>,
    {
        let share = Share::new(&self, place(&request));
        if may_hold(request.headers()) > MAX_BODY {
            // None is kept in memory that is larger.
            share.pass_through();
        }
        request.extensions_mut().insert(share.clone());
        let counted = share.clone();
        let request = request.map(|body| counted.count(body));
        let response = next.call(request).await?;
        Ok(match share.0.is_refused.load(Ordering::Relaxed) {
            true => too_busy(),
            false => response,
        })
    }
}

/// Whose pool a request takes from.
fn place(request: &Request) -> usize {
    match request.extensions().get::<Caller>() {
        Some(caller) if caller.is_relayed() => 2,
        Some(caller) if matches!(caller.end(), End::Socket(_)) => 0,
        Some(_) => 1,
        None => 2,
    }
}

/// What one request's body has of the budget, held until the request is answered. Clones mean the
/// same one.
#[derive(Clone)]
pub(super) struct Share(Arc<Inner>);

struct Inner {
    budget: BodyBudget,
    place: usize,
    /// Whether there was no share for it.
    is_refused: AtomicBool,
    /// Whether it is thrown away or stored as it comes.
    passes_through: AtomicBool,
    held: Mutex<Vec<OwnedSemaphorePermit>>,
}

/// A body as it comes in.
struct Incoming {
    body: Body,
    received: usize,
    /// Since when it has a slot, and how much had come by then.
    in_slot: Option<(Instant, usize)>,
}

impl Share {
    fn new(budget: &BodyBudget, place: usize) -> Self {
        Self(Arc::new(Inner {
            budget: budget.clone(),
            place,
            is_refused: AtomicBool::new(false),
            passes_through: AtomicBool::new(false),
            held: Mutex::default(),
        }))
    }

    /// Says that the body is not kept in memory, so that it takes no share, however large it is.
    pub fn pass_through(&self) {
        self.0.passes_through.store(true, Ordering::Relaxed);
        self.release();
    }

    fn release(&self) {
        self.held().clear();
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Vec<OwnedSemaphorePermit>> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pool(&self) -> Option<&Pool> {
        self.0.budget.0.get(self.0.place)
    }

    /// The body, which takes its share as it is read.
    fn count(self, body: Body) -> Body {
        let incoming = Incoming {
            body,
            received: 0,
            in_slot: None,
        };
        Body::from_stream(stream::unfold(Some((self, incoming)), |state| async move {
            let (share, mut incoming) = state?;
            match share.next(&mut incoming).await {
                Some(Ok(piece)) => Some((Ok(piece), Some((share, incoming)))),
                Some(Err(error)) => Some((Err(error), None)),
                None => None,
            }
        }))
    }

    async fn next(&self, incoming: &mut Incoming) -> Option<Result<Bytes, axum::Error>> {
        loop {
            let frame = match incoming.in_slot {
                None => incoming.body.frame().await?,
                Some(in_slot) => {
                    let frame = tokio::time::timeout(POLL_INTERVAL, incoming.body.frame()).await;
                    if self.is_in_the_way(in_slot, incoming.received) {
                        return Some(Err(self.refuse("it came too slowly, and others wait")));
                    }
                    match frame {
                        Ok(frame) => frame?,
                        Err(_) => continue,
                    }
                }
            };
            let piece = match frame {
                Ok(frame) => frame.into_data().ok()?,
                Err(error) => return Some(Err(error)),
            };
            incoming.received += piece.len();
            if !self.takes(piece.len(), incoming).await {
                return Some(Err(self.refuse("there is no room for it")));
            }
            return Some(Ok(piece));
        }
    }

    /// Takes a share for a piece that came; `false` when there is none in time.
    async fn takes(&self, size: usize, incoming: &mut Incoming) -> bool {
        if incoming.received > MAX_BODY {
            self.pass_through();
        }
        if incoming.in_slot.is_some() || self.0.passes_through.load(Ordering::Relaxed) {
            return true;
        }
        let Some(pool) = self.pool() else {
            return false;
        };
        if incoming.received > LARGE {
            pool.waiting.fetch_add(1, Ordering::Relaxed);
            let waiting = Waiting(pool);
            let slot = Arc::clone(&pool.slots).acquire_owned();
            let slot = tokio::time::timeout(pool.timeout, slot).await;
            drop(waiting);
            let Ok(Ok(slot)) = slot else {
                return false;
            };
            *self.held() = vec![slot];
            incoming.in_slot = Some((Instant::now(), incoming.received));
            return true;
        }
        let units = u32::try_from(size.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let share = Arc::clone(&pool.common).acquire_many_owned(units);
        match tokio::time::timeout(pool.timeout, share).await {
            Ok(Ok(share)) => {
                self.held().push(share);
                true
            }
            _ => false,
        }
    }

    /// Whether a body in a slot comes so slowly that it has to leave to others.
    fn is_in_the_way(&self, (since, then): (Instant, usize), received: usize) -> bool {
        let waiting = self
            .pool()
            .map_or(0, |pool| pool.waiting.load(Ordering::Relaxed));
        let for_how_long = since.elapsed();
        let brought = (received - then) as f64;
        waiting > 0
            && for_how_long > GRACE
            && !self.0.passes_through.load(Ordering::Relaxed)
            && brought < for_how_long.as_secs_f64() * LEAST_PER_SECOND as f64
    }

    fn refuse(&self, why: &'static str) -> axum::Error {
        self.release();
        self.0.is_refused.store(true, Ordering::Relaxed);
        tracing::warn!("more is being sent than fits; a request was sent away: {why}");
        axum::Error::new(std::io::Error::other(why))
    }
}

/// Counts one who waits for a slot, until it does not any more.
struct Waiting<'a>(&'a Pool);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<S> Layer<S> for BodyBudget {
    type Service = Budgeted<S>;

    fn layer(&self, inner: S) -> Budgeted<S> {
        let budget = self.clone();
        Budgeted { budget, inner }
    }
}

/// A service whose larger requests take their share of the budget.
#[derive(Clone)]
pub(super) struct Budgeted<S> {
    budget: BodyBudget,
    inner: S,
}

impl<S> Service<Request> for Budgeted<S>
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
        let is_document = request.uri().path() == DOCUMENTS;
        if is_document || may_hold(request.headers()) <= SMALL {
            return Either::Left(self.inner.call(request));
        }
        // The service that is ready is this one; its clone is for the next request.
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        Either::Right(self.budget.clone().answer(request, inner).boxed())
    }
}

/// How large a request's body may become: what it announces, or any size.
fn may_hold(headers: &HeaderMap) -> usize {
    let announced = headers.get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    match announced {
        Some(size) => size,
        None if headers.contains_key(header::TRANSFER_ENCODING) => MAX_BODY,
        // HTTP/1.1 has no body without either header.
        None => 0,
    }
}

fn too_busy() -> Response {
    let detail =
        json!({ "detail": "The server is too busy for large requests; try again in a moment." });
    let soon = [(header::RETRY_AFTER, HeaderValue::from_static("1"))];
    (StatusCode::SERVICE_UNAVAILABLE, soon, axum::Json(detail)).into_response()
}

#[cfg(test)]
mod tests;

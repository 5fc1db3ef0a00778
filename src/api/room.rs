//! How much of what clients send is held at once, all requests together.
//!
//! A body is in memory until its request is answered, and so is what was made of it. Small ones
//! are bounded by the number of connections. What larger ones hold is counted as it comes in,
//! not as it is announced, and only once somebody reads it: who is refused by the gate takes
//! none of it. Whoever gets no room in time is told to come again.
//!
//! The socket, the relay and TCP have rooms of their own, so that none starves the others. In
//! each, a body of up to [`LARGE`] takes as much of a common room as has come; a larger one needs
//! one of few [`SEATS`], and while another waits for a seat, one that comes too slowly loses it.

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
/// Beyond this a body needs a seat.
const LARGE: usize = 1024 * 1024;
/// How much bodies without a seat may hold together, in bytes.
const COMMON: usize = 24 * 1024 * 1024;
/// How many bodies may be beyond [`LARGE`] at once.
const SEATS: usize = 2;
/// How long a request waits for its share.
const PATIENCE: Duration = Duration::from_secs(10);
/// What a body brings in a second at least that keeps a seat for which others wait.
const PACE: usize = 512 * 1024;
/// For how long nobody is asked to leave a seat.
const SETTLING: Duration = Duration::from_secs(2);
/// How often a seated body looks whether it keeps others waiting.
const LOOK: Duration = Duration::from_millis(250);
/// Where documents come in.
const DOCUMENTS: &str = "/api/orion/data/persist";
/// What is counted: a semaphore's count is not made for bytes.
const UNIT: usize = 1024;

/// The rooms; clones share them.
#[derive(Clone)]
pub(super) struct Room(Arc<[Part; 3]>);

/// The room of one kind of callers.
struct Part {
    common: Arc<Semaphore>,
    seats: Arc<Semaphore>,
    /// How many wait for a seat.
    waiting: AtomicUsize,
    patience: Duration,
}

impl Part {
    fn new() -> Self {
        Self {
            common: Arc::new(Semaphore::new(COMMON / UNIT)),
            seats: Arc::new(Semaphore::new(SEATS)),
            waiting: AtomicUsize::new(0),
            patience: PATIENCE,
        }
    }
}

impl Room {
    /// All of it free.
    pub fn new() -> Self {
        Self(Arc::new([Part::new(), Part::new(), Part::new()]))
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

/// Which room a request takes.
fn place(request: &Request) -> usize {
    match request.extensions().get::<Caller>() {
        Some(caller) if caller.is_relayed() => 2,
        Some(caller) if matches!(caller.end(), End::Socket(_)) => 0,
        Some(_) => 1,
        None => 2,
    }
}

/// What one request's body has of the room, held until the request is answered. Clones mean the
/// same one.
#[derive(Clone)]
pub(super) struct Share(Arc<Inner>);

struct Inner {
    room: Room,
    place: usize,
    /// Whether there was no room for it.
    is_refused: AtomicBool,
    /// Whether it is thrown away or stored as it comes.
    passes_through: AtomicBool,
    held: Mutex<Vec<OwnedSemaphorePermit>>,
}

/// A body as it comes in.
struct Incoming {
    body: Body,
    received: usize,
    /// Since when it has a seat, and how much had come by then.
    seated: Option<(Instant, usize)>,
}

impl Share {
    fn new(room: &Room, place: usize) -> Self {
        Self(Arc::new(Inner {
            room: room.clone(),
            place,
            is_refused: AtomicBool::new(false),
            passes_through: AtomicBool::new(false),
            held: Mutex::default(),
        }))
    }

    /// Says that the body is not kept in memory, so that it takes no room, however large it is.
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

    fn part(&self) -> Option<&Part> {
        self.0.room.0.get(self.0.place)
    }

    /// The body, which takes its share as it is read.
    fn count(self, body: Body) -> Body {
        let incoming = Incoming {
            body,
            received: 0,
            seated: None,
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
            let frame = match incoming.seated {
                None => incoming.body.frame().await?,
                Some(seated) => {
                    let frame = tokio::time::timeout(LOOK, incoming.body.frame()).await;
                    if self.is_in_the_way(seated, incoming.received) {
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

    /// Takes room for a piece that came; `false` when there is none in time.
    async fn takes(&self, size: usize, incoming: &mut Incoming) -> bool {
        if incoming.received > MAX_BODY {
            self.pass_through();
        }
        if incoming.seated.is_some() || self.0.passes_through.load(Ordering::Relaxed) {
            return true;
        }
        let Some(part) = self.part() else {
            return false;
        };
        if incoming.received > LARGE {
            part.waiting.fetch_add(1, Ordering::Relaxed);
            let waiting = Waiting(part);
            let seat = Arc::clone(&part.seats).acquire_owned();
            let seat = tokio::time::timeout(part.patience, seat).await;
            drop(waiting);
            let Ok(Ok(seat)) = seat else {
                return false;
            };
            *self.held() = vec![seat];
            incoming.seated = Some((Instant::now(), incoming.received));
            return true;
        }
        let units = u32::try_from(size.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let share = Arc::clone(&part.common).acquire_many_owned(units);
        match tokio::time::timeout(part.patience, share).await {
            Ok(Ok(share)) => {
                self.held().push(share);
                true
            }
            _ => false,
        }
    }

    /// Whether a seated body comes so slowly that it has to leave to others.
    fn is_in_the_way(&self, (since, then): (Instant, usize), received: usize) -> bool {
        let waiting = self
            .part()
            .map_or(0, |part| part.waiting.load(Ordering::Relaxed));
        let for_how_long = since.elapsed();
        let brought = (received - then) as f64;
        waiting > 0
            && for_how_long > SETTLING
            && !self.0.passes_through.load(Ordering::Relaxed)
            && brought < for_how_long.as_secs_f64() * PACE as f64
    }

    fn refuse(&self, why: &'static str) -> axum::Error {
        self.release();
        self.0.is_refused.store(true, Ordering::Relaxed);
        tracing::warn!("more is being sent than fits; a request was sent away: {why}");
        axum::Error::new(std::io::Error::other(why))
    }
}

/// Counts one who waits for a seat, until it does not any more.
struct Waiting<'a>(&'a Part);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<S> Layer<S> for Room {
    type Service = Roomy<S>;

    fn layer(&self, inner: S) -> Roomy<S> {
        let room = self.clone();
        Roomy { room, inner }
    }
}

/// A service whose larger requests take their share of the room.
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
        let is_document = request.uri().path() == DOCUMENTS;
        if is_document || may_hold(request.headers()) <= SMALL {
            return Either::Left(self.inner.call(request));
        }
        // The service that is ready is this one; its clone is for the next request.
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        Either::Right(self.room.clone().answer(request, inner).boxed())
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
#[path = "room_tests.rs"]
mod tests;

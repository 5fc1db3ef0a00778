//! Websockets of the modern dialect.
//!
//! A websocket is an operation like others: declared with what it needs of who asks, and opened
//! only for those who meet that. What Prefect's clients cannot say in a header, their key, they
//! may say in their first message ([`handshake`]). Then [`socket::Socket`] reads and writes
//! messages, with bounds for all that a client can send or leave unread.
//!
//! Every socket ends with the daemon, told why in words that have clients come again.

mod events_in;
mod events_out;
mod handshake;
mod listening;
mod logs_out;
mod reader;
mod refused;
mod socket;
mod tasks_out;
mod worker_channel;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use fastwebsockets::upgrade::{self, UpgradeFut};
use futures_util::future::BoxFuture;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::access::{Refused, Requester};
use super::caller::Caller;
use super::v3::error::{Fault, Refusal};
use super::{Ctx, Operation, body};
use crate::domain::access::{Need, Who};
use handshake::Visitor;
use listening::listen;
use socket::Socket;

/// How many sockets there may be at once: a run of today's clients opens up to three.
const MOST: usize = 1024;
/// How many kilobytes of messages may wait to be dealt with, those of all sockets together.
const WAITING_KIB: usize = 64 * 1024;
/// How long an accepted client may take to begin.
const OPENING: Duration = Duration::from_secs(10);
/// The subprotocol of Prefect's clients, which begins with a handshake.
const PREFECT: &str = "prefect";

/// The sockets there are; clones share them.
#[derive(Clone)]
pub struct Sockets {
    stop: CancellationToken,
    tasks: TaskTracker,
    free: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    refusals: refused::Refusals,
}

impl Sockets {
    /// Until `stop`; `tasks` are done once all are closed.
    pub fn new(stop: CancellationToken, tasks: TaskTracker) -> Self {
        Self {
            stop,
            tasks,
            free: Arc::new(Semaphore::new(MOST)),
            waiting: Arc::new(Semaphore::new(WAITING_KIB)),
            refusals: refused::Refusals::default(),
        }
    }

    /// A place for something else that goes on as long as its client wants; `None` while there
    /// are too many.
    pub(crate) fn place(&self) -> Option<Place> {
        Some(Place {
            stop: self.stop.clone(),
            _permit: Arc::clone(&self.free).try_acquire_owned().ok()?,
        })
    }
}

/// A place that is taken until this is dropped.
pub(crate) struct Place {
    /// The daemon ends.
    pub stop: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

/// One side of a conversation: what is said on a socket, by whom.
pub struct Talk {
    /// What every handler has.
    pub ctx: Ctx,
    /// Who is at the other end.
    pub visitor: Visitor,
    /// The socket.
    pub socket: Socket,
}

/// What is done on a socket once it is open.
pub type Talking = fn(Talk) -> BoxFuture<'static, ()>;

/// The sockets that there are to open.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::socket("/events/in", "Takes events, one a message")
            .talks(Need::Aim, |talk| Box::pin(events_in::talk(talk))),
        Operation::socket("/events/out", "Tells of events as they come")
            .talks(Need::Read, |talk| {
                Box::pin(listen::<events_out::Wanted>(talk))
            }),
        Operation::socket("/logs/out", "Tells of log lines as they come")
            .talks(Need::Read, |talk| {
                Box::pin(listen::<logs_out::Wanted>(talk))
            }),
        Operation::socket(
            "/task_runs/subscriptions/scheduled",
            "Tells who serves background tasks of each that waits",
        )
        .talks(Need::Operate, |talk| Box::pin(tasks_out::talk(talk))),
        Operation::socket(
            "/work_pools/{name}/workers/connect",
            "Keeps a worker of a pool in touch with it",
        )
        .talks(Need::Operate, |talk| Box::pin(worker_channel::talk(talk))),
    ]
}

/// Answers a request for a socket.
pub async fn open(ctx: Ctx, need: Need, talking: Talking, mut request: Request) -> Response {
    let caller = request.extensions().get::<Caller>();
    let caller = caller.cloned().unwrap_or_else(Caller::nobody);
    let is_upgrade = upgrade::is_upgrade_request(&request);
    let shakes_hands = is_upgrade && offers_prefect(&request);
    let admitted = match ctx.gate.is_open_to(&caller) {
        true => Ok(Who::Operator),
        false => ctx.gate.admit(&caller, request.headers(), need).await,
    };
    let who = match admitted {
        Ok(who) => Some(who),
        // Its key comes in its first message, unless it is a run's, which has come.
        Err(Refused::Keyless) if shakes_hands && caller.key().is_none() => None,
        Err(refused) => {
            let path = request.uri().path();
            refused.log(&caller, request.method(), path);
            let answer = refused.answer(path);
            body::leave(request);
            return answer;
        }
    };
    if !is_upgrade {
        return only_by_upgrade();
    }
    let Ok(place) = Arc::clone(&ctx.sockets.free).try_acquire_owned() else {
        return full();
    };
    let (answer, upgrade) = match upgrade::upgrade(&mut request) {
        Ok(upgraded) => upgraded,
        Err(error) => return refused(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let mut answer = answer.map(axum::body::Body::new);
    if shakes_hands {
        let name = HeaderValue::from_static(PREFECT);
        answer
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_PROTOCOL, name);
    }
    let requester = who.map(|who| Requester::new(who, caller.clone(), ctx.gate.clone()));
    let visitor = Visitor::new(requester, caller, need, request.into_parts().0);
    let sockets = ctx.sockets.clone();
    let opened = async move {
        let _place: OwnedSemaphorePermit = place;
        converse(ctx, upgrade, visitor, shakes_hands, talking).await;
    };
    sockets.tasks.spawn(opened);
    answer
}

/// Has the handshake made, if there is to be one, and then the conversation.
async fn converse(
    ctx: Ctx,
    upgrade: UpgradeFut,
    mut visitor: Visitor,
    shakes_hands: bool,
    talking: Talking,
) {
    // Who leaves meanwhile leaves nothing behind.
    let Ok(Ok(opened)) = tokio::time::timeout(OPENING, upgrade).await else {
        return;
    };
    let mut socket = Socket::new(opened, &ctx.sockets);
    if shakes_hands && !handshake::shake(&mut socket, &mut visitor, &ctx).await {
        return socket.end().await;
    }
    let talk = Talk {
        ctx,
        visitor,
        socket,
    };
    talking(talk).await;
}

/// What is wrong with a message, and where.
fn why(refusal: &Refusal) -> String {
    let fault = match refusal {
        Refusal::Invalid { faults, .. } => faults.first(),
        Refusal::Failed(error) => return error.message().to_owned(),
    };
    let Some(Fault { loc, message, .. }) = fault else {
        return String::new();
    };
    // The first step is the message itself.
    let steps = loc.iter().skip(1).map(|step| match step.as_str() {
        Some(key) => key.to_owned(),
        None => step.to_string(),
    });
    let place = steps.collect::<Vec<_>>().join(".");
    match place.is_empty() {
        true => message.clone(),
        false => format!("{place}: {message}"),
    }
}

fn offers_prefect(request: &Request) -> bool {
    let offered = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL);
    let offered = offered.iter().filter_map(|value| value.to_str().ok());
    let mut names = offered.flat_map(|value| value.split(','));
    names.any(|name| name.trim() == PREFECT)
}

fn only_by_upgrade() -> Response {
    let words = "This is a websocket; ask with Connection: Upgrade and Upgrade: websocket.";
    let mut answer = refused(StatusCode::UPGRADE_REQUIRED, words);
    let headers = answer.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    answer
}

fn full() -> Response {
    tracing::warn!("there are too many websockets already; one was sent away");
    let words = "There are too many websockets already; try again in a moment.";
    let mut answer = refused(StatusCode::SERVICE_UNAVAILABLE, words);
    let soon = HeaderValue::from_static("1");
    answer.headers_mut().insert(header::RETRY_AFTER, soon);
    answer
}

fn refused(status: StatusCode, why: &str) -> Response {
    let body = json!({ "detail": why, "exception_message": why });
    (status, axum::Json(body)).into_response()
}

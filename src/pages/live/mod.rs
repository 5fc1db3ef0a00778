//! What changes on a page, told as it changes: server-sent events, of which each holds parts of
//! the page made by its own template, lines of a log, or events. A stream that breaks is taken up
//! after the last that its reader has. Nothing is made while nobody looks, and what several look
//! at is made once for all of them.

mod events;
mod makers;
mod parts;
mod stream;

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use futures_util::Stream;

use super::answer::Answer;
use super::path::Id;
use super::run::usage::Meter;
use super::visitor::Visitor;
use crate::api::sockets::Place;
use crate::api::{Ctx, Need, Operation};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::ids::FlowRunId;
use crate::domain::time::Timestamp;
use makers::Makers;

/// How often parts are made anew at most.
const PAINT: Duration = Duration::from_secs(1);
/// How often they are made anew at least, since times go on.
const TICK: Duration = Duration::from_secs(5);
/// How long lines are gathered.
const GATHER: Duration = Duration::from_millis(30);
/// What a stream begins with: how soon its reader comes again, in milliseconds.
const BEGINNING: &str = "retry: 1000\n\n";
/// Says nothing; whoever does not listen any more is noticed by it.
const NOTHING: &str = ":\n\n";

/// What a stream is about.
#[derive(Clone, Copy, Debug)]
enum About {
    Dashboard,
    Runs,
    Run(FlowRunId),
    Deployments,
    Pools,
}

/// What streams share.
#[derive(Clone, Default)]
struct Shared {
    makers: Makers,
    meter: Meter,
}

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    let shared = Shared::default();
    let about = |about: About| {
        let shared = shared.clone();
        move |State(ctx): State<Ctx>, visitor: Visitor| {
            let shared = shared.clone();
            async move { stream::begin(ctx, visitor, about, None, shared) }
        }
    };
    let of_run = {
        let shared = shared.clone();
        move |State(ctx): State<Ctx>,
              Id(id): Id<FlowRunId>,
              visitor: Visitor,
              headers: HeaderMap| {
            let shared = shared.clone();
            async move { run(ctx, id, visitor, &headers, shared).await }
        }
    };
    let get = |path, summary| Operation::get(path, summary).is_routine();
    vec![
        get("/live/dashboard", "Tells what changes on the dashboard")
            .needs(Need::Inspect, about(About::Dashboard)),
        get("/live/runs", "Tells what changes on the list of runs")
            .needs(Need::Inspect, about(About::Runs)),
        get("/live/run/{id}", "Tells what changes on a run's page").needs(Need::Inspect, of_run),
        get(
            "/live/deployments",
            "Tells what changes on the list of deployments",
        )
        .needs(Need::Inspect, about(About::Deployments)),
        get("/live/work-pools", "Tells what changes on work pools")
            .needs(Need::Inspect, about(About::Pools)),
        get("/live/events", "Tells events as they come").needs(Need::Inspect, of_events),
    ]
}

async fn run(
    ctx: Ctx,
    id: FlowRunId,
    visitor: Visitor,
    headers: &HeaderMap,
    shared: Shared,
) -> Answer {
    let after = last(headers).and_then(|id| id.parse().ok());
    let after = after.or_else(|| visitor.asked("after")?.parse().ok());
    ctx.app.flow_run(id).await?;
    stream::begin(ctx, visitor, About::Run(id), after, shared)
}

async fn of_events(State(ctx): State<Ctx>, visitor: Visitor, headers: HeaderMap) -> Answer {
    let micros = |text: &str| text.parse().ok().map(Timestamp::from_micros);
    let since = last(&headers).and_then(micros);
    let since = since.or_else(|| micros(&visitor.asked("after")?));
    events::begin(ctx, visitor, since).await
}

/// The last that a reader has who comes again.
fn last(headers: &HeaderMap) -> Option<&str> {
    headers.get("last-event-id")?.to_str().ok()
}

/// A place for one more stream.
fn place(ctx: &Ctx) -> Result<Place> {
    ctx.sockets.place().ok_or_else(|| {
        let words = "Too many pages are open that hear of changes.";
        Error::new(Kind::Unavailable, words)
    })
}

/// The answer that goes on.
fn told(stream: impl Stream<Item = Result<Bytes>> + Send + 'static) -> Response {
    let mut response = Response::new(Body::from_stream(stream));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

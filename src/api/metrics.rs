//! `/metrics`, and the layer that times every request.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use super::Ctx;
use super::dialect::{ORION, V3};
use crate::domain::node::Node;
use crate::metrics::{self, AgentVitals, Dialect, NodeVitals, Vitals};

/// Everything that is counted, as Prometheus reads it.
pub async fn text(State(ctx): State<Ctx>) -> Response {
    let (vitals, nodes) = tokio::join!(ctx.app.vitals(), ctx.host.nodes());
    let told = match vitals {
        Ok(vitals) => {
            let vitals = Vitals {
                // Where there is no cluster there is nothing to tell of one.
                nodes: by_name(nodes.unwrap_or_default()),
                ..rendered(&ctx, &vitals)
            };
            metrics::text(&vitals).map_err(|error| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    };
    match told {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(error, "the metrics cannot be told");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn rendered(ctx: &Ctx, vitals: &crate::app::Vitals) -> Vitals {
    let agents = vitals.agents.iter().map(|agent| AgentVitals {
        name: agent.known.name.clone(),
        slots: agent.known.report.slots,
        runs: agent.runs,
        containers: agent.containers,
        engine_away: agent.known.report.engine_trouble.is_some(),
    });
    Vitals {
        runs: vitals
            .runs
            .iter()
            .map(|(kind, count)| (kind.word(), *count))
            .collect(),
        agents: agents.collect(),
        database_bytes: vitals.size.database,
        wal_bytes: vitals.size.wal,
        free_pages: vitals.free_pages,
        waiting_writes: vitals.waiting_writes,
        started_secs: ctx.about.started().micros() as f64 / 1e6,
        nodes: Vec::new(),
    }
}

/// By their names: a node that has left and joined again is there twice for a while.
fn by_name(nodes: Vec<Node>) -> Vec<NodeVitals> {
    let mut all: BTreeMap<String, NodeVitals> = BTreeMap::new();
    for node in nodes {
        let one = all.entry(node.name.clone()).or_default();
        one.is_ready |= node.is_ready();
        one.runs += node.load.runs.len() as u64;
        one.name = node.name;
    }
    all.into_values().collect()
}

/// Times every request by the dialect that it speaks and the class of its status.
#[derive(Clone, Copy, Debug)]
pub struct Timed;

impl<S> Layer<S> for Timed {
    type Service = Timing<S>;

    fn layer(&self, inner: S) -> Timing<S> {
        Timing { inner }
    }
}

/// The service within [`Timed`].
#[derive(Clone, Debug)]
pub struct Timing<S> {
    inner: S,
}

impl<S: Service<Request, Response = Response>> Service<Request> for Timing<S> {
    type Response = Response;
    type Error = S::Error;
    type Future = TimedAnswer<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (dialect, began) = (dialect_of(request.uri().path()), Instant::now());
        let answer = self.inner.call(request);
        TimedAnswer {
            answer,
            dialect,
            began,
        }
    }
}

/// By the path that [`super::dialect::settle`] has made explicit.
fn dialect_of(path: &str) -> Dialect {
    match path.strip_prefix(V3) {
        Some(rest) if rest.starts_with("/prefectd/") => Dialect::Own,
        Some(_) => Dialect::V3,
        None if path.starts_with(ORION) => Dialect::Orion,
        None => Dialect::Other,
    }
}

pin_project! {
    /// An answer on its way, and since when.
    pub struct TimedAnswer<F> {
        #[pin]
        answer: F,
        dialect: Dialect,
        began: Instant,
    }
}

impl<F: Future<Output = Result<Response, E>>, E> Future for TimedAnswer<F> {
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.answer.poll(context));
        if let (Ok(response), Some(meters)) = (&answer, metrics::meters()) {
            let status = response.status().as_u16();
            meters.answered(*this.dialect, status, this.began.elapsed());
        }
        Poll::Ready(answer)
    }
}

//! What changes on a page, told as it changes: server-sent events, of which each holds parts of
//! the page made by its own template, or lines of a log. A stream that breaks is taken up after
//! the last line that its reader has.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use askama::Template;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use futures_util::stream;
use serde_json::json;
use tokio::time::Instant;

use super::answer::Answer;
use super::path::Id;
use super::run::log::Lines;
use super::visitor::Visitor;
use super::{dashboard, run, runs};
use crate::api::sockets::Place;
use crate::api::{Ctx, Need, Operation};
use crate::app::Listener;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::ids::{FlowRunId, LogId};

/// How often parts are made anew at most.
const PAINT: Duration = Duration::from_secs(1);
/// How often they are made anew at least, since times go on.
const TICK: Duration = Duration::from_secs(5);
/// How long lines are gathered.
const GATHER: Duration = Duration::from_millis(30);
/// What a stream begins with: how soon its reader comes again, in milliseconds.
const BEGINNING: &str = "retry: 1000\n\n";

/// What there is to ask.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/live/dashboard", "Tells what changes on the dashboard")
            .is_routine()
            .needs(Need::Inspect, of_dashboard),
        Operation::get("/live/runs", "Tells what changes on the list of runs")
            .is_routine()
            .needs(Need::Inspect, of_runs),
        Operation::get("/live/run/{id}", "Tells what changes on a run's page")
            .is_routine()
            .needs(Need::Inspect, of_run),
    ]
}

/// What a stream is about.
#[derive(Clone, Copy)]
enum About {
    Dashboard,
    Runs,
    Run(FlowRunId),
}

/// Parts of a page by the ids of their elements.
type Parts = Vec<(&'static str, String)>;

async fn of_dashboard(State(ctx): State<Ctx>, visitor: Visitor) -> Answer {
    begin(ctx, visitor, About::Dashboard, None)
}

async fn of_runs(State(ctx): State<Ctx>, visitor: Visitor) -> Answer {
    begin(ctx, visitor, About::Runs, None)
}

async fn of_run(
    State(ctx): State<Ctx>,
    Id(id): Id<FlowRunId>,
    visitor: Visitor,
    headers: HeaderMap,
) -> Answer {
    let last = headers.get("last-event-id");
    let last = last.and_then(|id| id.to_str().ok()?.parse().ok());
    let after = last.or_else(|| visitor.asked("after")?.parse().ok());
    ctx.app.flow_run(id).await?;
    begin(ctx, visitor, About::Run(id), after)
}

/// The state of one stream.
struct Stream {
    ctx: Ctx,
    visitor: Visitor,
    about: About,
    place: Place,
    bell: Listener,
    sent: HashMap<&'static str, u64>,
    /// The last line that was told, where lines are.
    after: Option<LogId>,
    painted: Option<Instant>,
    is_stale: bool,
    has_begun: bool,
}

fn begin(ctx: Ctx, visitor: Visitor, about: About, after: Option<LogId>) -> Answer {
    let place = ctx.sockets.place().ok_or_else(|| {
        let words = "Too many pages are open that hear of changes.";
        Error::new(Kind::Unavailable, words)
    })?;
    let stream = Stream {
        bell: ctx.app.news_bell().listen(),
        ctx,
        visitor,
        about,
        place,
        sent: HashMap::new(),
        after,
        painted: None,
        is_stale: true,
        has_begun: false,
    };
    let told = stream::unfold(stream, |mut stream| async move {
        let next = stream.next().await?;
        Some((Ok::<_, Error>(next), stream))
    });
    let mut response = Response::new(Body::from_stream(told));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

impl Stream {
    /// The next thing to tell; nothing once the daemon ends or what it is about has gone.
    async fn next(&mut self) -> Option<Bytes> {
        if !self.has_begun {
            self.has_begun = true;
            return Some(BEGINNING.into());
        }
        loop {
            if let Some(lines) = self.lines().await.ok()? {
                return Some(lines);
            }
            let may_paint = self.painted.is_none_or(|at| at.elapsed() >= PAINT);
            if self.is_stale && may_paint {
                self.is_stale = false;
                self.painted = Some(Instant::now());
                if let Some(parts) = self.parts().await.ok()? {
                    return Some(parts);
                }
            }
            if !self.wait().await {
                return None;
            }
        }
    }

    /// Waits until there may be something to tell; false at the end.
    async fn wait(&mut self) -> bool {
        let painted = self.painted.unwrap_or_else(Instant::now);
        let until = match self.is_stale {
            true => painted + PAINT,
            false => painted + TICK,
        };
        tokio::select! {
            () = self.place.stop.cancelled() => return false,
            () = self.bell.rung() => tokio::time::sleep(GATHER).await,
            () = tokio::time::sleep_until(until) => {}
        }
        self.is_stale = true;
        true
    }

    /// The lines that have come.
    async fn lines(&mut self) -> Result<Option<Bytes>> {
        let (About::Run(id), Some(after)) = (self.about, self.after) else {
            return Ok(None);
        };
        let (lines, last) = run::log::arrived(&self.ctx, &self.visitor, id, after).await?;
        self.after = Some(last);
        if lines.is_empty() {
            return Ok(None);
        }
        let html = rendered(&Lines { lines })?;
        let data = json!({ "html": html });
        Ok(Some(
            format!("event: log\nid: {last}\ndata: {data}\n\n").into(),
        ))
    }

    /// The parts that are not as they were told last.
    async fn parts(&mut self) -> Result<Option<Bytes>> {
        let mut changed = serde_json::Map::new();
        for (id, html) in self.made().await? {
            let mut hash = DefaultHasher::new();
            html.hash(&mut hash);
            let hash = hash.finish();
            if self.sent.insert(id, hash) != Some(hash) {
                changed.insert(id.to_owned(), html.into());
            }
        }
        if changed.is_empty() {
            // Whoever does not listen any more is noticed by this.
            return Ok(Some(":\n\n".into()));
        }
        let data = serde_json::Value::Object(changed);
        Ok(Some(format!("event: parts\ndata: {data}\n\n").into()))
    }

    async fn made(&self) -> Result<Parts> {
        let (ctx, visitor) = (&self.ctx, &self.visitor);
        match self.about {
            About::Dashboard => {
                let page = dashboard::read(ctx, visitor).await?;
                Ok(vec![
                    ("summary", rendered(&page.as_summary())?),
                    ("counts", rendered(&page.as_counts())?),
                    ("timeline", rendered(&page.as_timeline())?),
                    ("late", rendered(&page.as_late())?),
                    ("running", rendered(&page.as_running())?),
                    ("trouble", rendered(&page.as_trouble())?),
                    ("next", rendered(&page.as_next())?),
                    ("pools", rendered(&page.as_pools())?),
                ])
            }
            About::Runs => {
                let page = runs::read(ctx, visitor).await?;
                Ok(vec![("runs", rendered(&page.as_rows())?)])
            }
            About::Run(id) => {
                let page = run::read(ctx, visitor, id, run::log::Shown::default()).await?;
                Ok(vec![
                    ("head", rendered(&page.as_head())?),
                    ("facts", rendered(&page.as_facts())?),
                    ("why", rendered(&page.as_why())?),
                    ("states", rendered(&page.as_states())?),
                    ("tasks", rendered(&page.as_tasks())?),
                ])
            }
        }
    }
}

fn rendered(template: &impl Template) -> Result<String> {
    template.render().map_err(Error::internal)
}

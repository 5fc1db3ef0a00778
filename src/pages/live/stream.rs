//! A stream of parts, and of a log's lines where the page has one.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use futures_util::stream;
use serde_json::json;
use tokio::time::Instant;

use super::makers::{Maker, Part, Turn};
use super::parts::{self, rendered};
use super::{About, BEGINNING, GATHER, NOTHING, PAINT, Shared, TICK, place, told};
use crate::api::Ctx;
use crate::api::sockets::Place;
use crate::app::Listener;
use crate::domain::error::Result;
use crate::domain::ids::LogId;
use crate::pages::answer::Answer;
use crate::pages::run::log::{self, Lines};
use crate::pages::visitor::Visitor;

/// The state of one stream.
struct Looking {
    ctx: Ctx,
    visitor: Visitor,
    about: About,
    shared: Shared,
    maker: Arc<Maker>,
    place: Place,
    bell: Listener,
    sent: HashMap<&'static str, u64>,
    /// The last line that was told, where lines are.
    after: Option<LogId>,
    /// Since when what was told may not be so any more.
    stale: Option<Instant>,
    /// When to look next.
    next: Instant,
    has_begun: bool,
}

/// Begins one.
pub fn begin(
    ctx: Ctx,
    visitor: Visitor,
    about: About,
    after: Option<LogId>,
    shared: Shared,
) -> Answer {
    let now = Instant::now();
    let looking = Looking {
        place: place(&ctx)?,
        bell: ctx.app.news_bell().listen(),
        maker: shared.makers.of(parts::key(about, &visitor)),
        ctx,
        visitor,
        about,
        shared,
        sent: HashMap::new(),
        after,
        stale: Some(now.checked_sub(PAINT).unwrap_or(now)),
        next: now,
        has_begun: false,
    };
    Ok(told(stream::unfold(looking, |mut looking| async move {
        let next = looking.next().await?;
        Some((Ok(next), looking))
    })))
}

impl Looking {
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
            if let Some(since) = self.stale.filter(|_| self.next <= Instant::now()) {
                match self.turn(since).await.ok()? {
                    Turn::Made(parts) => {
                        self.stale = None;
                        self.next = Instant::now() + TICK;
                        return Some(self.changed(&parts));
                    }
                    Turn::Later(then) => self.next = then,
                }
            }
            if !self.wait().await {
                return None;
            }
        }
    }

    async fn turn(&self, since: Instant) -> Result<Turn> {
        let visitor = self.visitor.as_one_of_many();
        let (ctx, about, shared) = (&self.ctx, self.about, &self.shared);
        let make = || parts::made(ctx, &visitor, about, shared);
        self.maker.made(since, make).await
    }

    /// Waits until there may be something to tell; false at the end.
    async fn wait(&mut self) -> bool {
        tokio::select! {
            () = self.place.stop.cancelled() => return false,
            () = self.bell.rung() => {
                if self.stale.is_none() {
                    self.next = Instant::now();
                }
                self.stale = Some(Instant::now());
                tokio::time::sleep(GATHER).await;
            }
            () = tokio::time::sleep_until(self.next) => {
                // Times go on; what another page has just been told will do.
                let now = Instant::now();
                let lately = now.checked_sub(PAINT).unwrap_or(now);
                self.stale = self.stale.or(Some(lately));
            }
        }
        true
    }

    /// The lines that have come.
    async fn lines(&mut self) -> Result<Option<Bytes>> {
        let (About::Run(id), Some(after)) = (self.about, self.after) else {
            return Ok(None);
        };
        let (lines, last) = log::arrived(&self.ctx, &self.visitor, id, after).await?;
        self.after = Some(last);
        if lines.is_empty() {
            return Ok(None);
        }
        let data = json!({ "html": rendered(&Lines { lines })? });
        Ok(Some(
            format!("event: log\nid: {last}\ndata: {data}\n\n").into(),
        ))
    }

    /// The parts that are not as they were told last.
    fn changed(&mut self, parts: &[Part]) -> Bytes {
        let mut changed = serde_json::Map::new();
        for part in parts {
            if self.sent.insert(part.id, part.sum) != Some(part.sum) {
                changed.insert(part.id.to_owned(), part.html.as_str().into());
            }
        }
        if changed.is_empty() {
            return NOTHING.into();
        }
        let data = serde_json::Value::Object(changed);
        format!("event: parts\ndata: {data}\n\n").into()
    }
}

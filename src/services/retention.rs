//! Lets old things go: runs, log lines, events, cache entries that answer nothing, the keys of
//! requests that come no more, and then the room
//! that they took in the file.
//!
//! It works in slices of a millisecond or two on the writer's thread and rests in between: long
//! while others write, hardly at all while nobody does.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::driver;
use crate::app::{App, Slice};
use crate::domain::error::Result;
use crate::domain::ids::LogId;
use crate::domain::retention::Retention;
use crate::metrics;

/// How often to look.
const EVERY: Duration = Duration::from_secs(60);
/// How long a slice occupies the writer.
const SLICE: Duration = Duration::from_millis(1);
/// How many times as long as a slice the rest after it is, while others write and while
/// nobody does.
const REST: (u32, u32) = (12, 1);
/// How many runs go before the file is looked after.
const ROUND: u64 = 10_000;
/// How many are looked up at once.
const BATCH: usize = 512;
/// Pages cut off the file in a slice.
const PAGES: u64 = 16;
/// Free pages that are left in the file for what comes next.
const SPARE: u64 = 128;

/// Works until `stop`.
pub async fn retention(app: App, keep: Retention, stop: CancellationToken) {
    let (for_logs, for_cache) = (Seldom::default(), Seldom::default());
    driver::run("retention", EVERY, stop.clone(), || async {
        let mut pace = Pace::new(stop.clone());
        while runs(&app, &keep, &mut pace).await? {
            shrink(&app, &mut pace).await?;
        }
        if let Some(_took) = for_logs.turn() {
            logs(&app, &keep, &mut pace).await?;
        }
        if let Some(_took) = for_cache.turn() {
            cache(&app, &mut pace).await?;
        }
        requests(&app, &mut pace).await?;
        events(&app, &keep, &mut pace).await?;
        shrink(&app, &mut pace).await
    })
    .await;
}

/// Deletes runs; true when there may be more, which are for after the file has shrunk.
async fn runs(app: &App, keep: &Retention, pace: &mut Pace) -> Result<bool> {
    let Some(horizon) = app.run_horizon(keep.flow_runs).await? else {
        return Ok(false);
    };
    let mut deleted = 0;
    while deleted < ROUND && !pace.stop.is_cancelled() {
        let mut ids = app.runs_to_go(horizon, BATCH).await?;
        if ids.is_empty() {
            break;
        }
        while !ids.is_empty() && !pace.stop.is_cancelled() {
            let slice = app.delete_runs(ids, horizon, SLICE).await?;
            deleted += pace.note("flow_runs", &slice).await;
            ids = slice.left;
        }
    }
    if deleted > 0 {
        tracing::info!(deleted, "old runs are gone");
    }
    Ok(deleted >= ROUND && !pace.stop.is_cancelled())
}

async fn logs(app: &App, keep: &Retention, pace: &mut Pace) -> Result<()> {
    let Some(bound) = app.log_bound(keep.logs).await? else {
        return Ok(());
    };
    let mut after = LogId::from_uuid(Uuid::nil());
    let mut deleted = 0;
    while !pace.stop.is_cancelled() {
        let mut ids = app.logs_to_go(after, bound, BATCH as i64).await?;
        let Some(last) = ids.last() else {
            break;
        };
        after = *last;
        while !ids.is_empty() && !pace.stop.is_cancelled() {
            let slice = app.delete_logs(ids, SLICE).await?;
            deleted += pace.note("logs", &slice).await;
            ids = slice.left;
        }
    }
    if deleted > 0 {
        tracing::info!(deleted, "old log lines are gone");
    }
    Ok(())
}

async fn cache(app: &App, pace: &mut Pace) -> Result<()> {
    let mut after = 0;
    while !pace.stop.is_cancelled() {
        let mut ids = app.stale_cache_entries(after, BATCH as i64).await?;
        let Some(last) = ids.last() else {
            break;
        };
        after = *last;
        while !ids.is_empty() && !pace.stop.is_cancelled() {
            let slice = app.delete_cache_entries(ids, SLICE).await?;
            pace.note("cache_entries", &slice).await;
            ids = slice.left;
        }
    }
    Ok(())
}

/// Deletes events, those that arrived first first.
async fn events(app: &App, keep: &Retention, pace: &mut Pace) -> Result<()> {
    let mut deleted = 0;
    while !pace.stop.is_cancelled() {
        let mut places = app.events_to_go(keep.events, BATCH as i64).await?;
        if places.is_empty() {
            break;
        }
        while !places.is_empty() && !pace.stop.is_cancelled() {
            let slice = app.delete_events(places, SLICE).await?;
            deleted += pace.note("events", &slice).await;
            places = slice.left;
        }
    }
    if deleted > 0 {
        tracing::info!(deleted, "old events are gone");
    }
    Ok(())
}

/// Forgets requests that will not come again.
async fn requests(app: &App, pace: &mut Pace) -> Result<()> {
    while !pace.stop.is_cancelled() {
        let (_, is_all, took) = app.forget_requests(SLICE).await?;
        if is_all {
            break;
        }
        pace.rest(took).await;
    }
    Ok(())
}

/// Cuts what is free off the file. A file that cannot shrink in place says so by not changing.
async fn shrink(app: &App, pace: &mut Pace) -> Result<()> {
    let mut before = u64::MAX;
    while !pace.stop.is_cancelled() {
        let (free, took) = app.shrink(PAGES).await?;
        if free <= SPARE || free >= before {
            break;
        }
        before = free;
        pace.rest(took).await;
    }
    Ok(())
}

/// When to do what looks at a whole table: so seldom that it takes next to none of the time.
#[derive(Default)]
struct Seldom {
    next: Mutex<Option<Instant>>,
}

/// Part of the time that such looks may take: one of so many.
const PART: u32 = 1000;

impl Seldom {
    /// A turn, if it is time for one.
    fn turn(&self) -> Option<Turn<'_>> {
        let began = Instant::now();
        let is_early = self.next().is_some_and(|next| began < next);
        (!is_early).then_some(Turn {
            began,
            seldom: self,
        })
    }

    fn next(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes at its end how long it took.
struct Turn<'a> {
    began: Instant,
    seldom: &'a Seldom,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.seldom.next() = self.began.checked_add(self.began.elapsed() * PART);
    }
}

/// How fast to go on.
struct Pace {
    stop: CancellationToken,
    writes: u64,
}

impl Pace {
    fn new(stop: CancellationToken) -> Self {
        let writes = writes();
        Self { stop, writes }
    }

    /// Counts what a slice has done, rests, and answers the count.
    async fn note<T>(&mut self, kind: &str, slice: &Slice<T>) -> u64 {
        if let Some(meters) = metrics::meters() {
            meters.deleted(kind, slice.done);
        }
        self.rest(slice.took).await;
        slice.done
    }

    async fn rest(&mut self, took: Duration) {
        let others = writes().saturating_sub(self.writes) > 1;
        let factor = if others { REST.0 } else { REST.1 };
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep(took * factor) => {}
        }
        self.writes = writes();
    }
}

fn writes() -> u64 {
    metrics::meters().map_or(0, metrics::Meters::writes)
}

//! What ends at its time: holds on slots that nobody renewed, pauses that nobody resumed,
//! cancellations that nobody confirmed. And what is part of a cancelled run is cancelled.
//!
//! It sleeps until the next of these times, or until the app rings its bell.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::driver;
use crate::app::App;
use crate::domain::error::Result;
use crate::domain::time::{Span, Timestamp};

/// How long it sleeps at most: a run that was just cancelled may begin another part before its
/// process is gone, and a machine's clock may be set.
const LONGEST_SLEEP: Duration = Duration::from_secs(20);
/// How long ago runs may have been cancelled whose parts are looked for at the first look.
const AT_FIRST: Span = Span::from_micros(86_400 * 1_000_000);
/// How long after the end of a cancelled run its parts are looked for again.
const AFTERWARDS: Span = Span::from_micros(60 * 1_000_000);
/// How long a change may wait to be committed after the moment that it bears.
const COMMITTING: Span = Span::from_micros(1_000_000);

/// Works until `stop`.
pub async fn deadlines(app: App, stop: CancellationToken) {
    let bell = app.deadline_bell().listen();
    // Cancelled runs were looked at that ended before.
    let seen = AtomicI64::new((app.now() - AT_FIRST).micros());
    driver::run_woken("deadlines", LONGEST_SLEEP, stop, bell, |is_rung| {
        let (app, seen) = (&app, &seen);
        async move {
            end_what_is_over(app).await?;
            let since = Timestamp::from_micros(seen.load(Ordering::Relaxed));
            let now = app.now();
            let from = match is_rung {
                true => since,
                false => since.min(now - AFTERWARDS),
            };
            app.cancel_parts(from).await?;
            seen.store((now - COMMITTING).max(since).micros(), Ordering::Relaxed);
            until_next(app).await
        }
    })
    .await;
}

async fn end_what_is_over(app: &App) -> Result<()> {
    let is_over = |end: Option<Timestamp>| end.is_some_and(|end| end <= app.now());
    if is_over(app.next_end_of_lease().await?) {
        let leases = app.end_leases().await?;
        tracing::info!(leases, "took back slots that nobody held on to");
    }
    if is_over(app.next_deadline_of_state().await?) {
        let runs = app.end_overdue_states().await?;
        tracing::info!(runs, "ended runs that waited too long");
    }
    Ok(())
}

async fn until_next(app: &App) -> Result<Duration> {
    let next = [
        app.next_end_of_lease().await?,
        app.next_deadline_of_state().await?,
    ];
    let Some(next) = next.into_iter().flatten().min() else {
        return Ok(LONGEST_SLEEP);
    };
    let left = u64::try_from((next - app.now()).micros()).unwrap_or(0);
    Ok(Duration::from_micros(left).min(LONGEST_SLEEP))
}

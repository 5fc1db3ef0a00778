//! What automations wait for, and what they have decided.
//!
//! Events are seen where they are stored. Here the time is: windows that pass, and actions that
//! are to be done.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::driver;
use crate::app::App;
use crate::domain::time::{Span, Timestamp};

/// How long both sleep at most.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// How long after a failure it is tried again.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// How long a message that is being sent may take still once the daemon stops.
const LEAVE: Duration = Duration::from_secs(2);
/// How long after the start windows that have passed are looked at. While no daemon was there,
/// events waited elsewhere, and they arrive in the first seconds.
const AT_FIRST: Span = Span::from_micros(10_000_000);

/// Works until `stop`.
pub async fn automations(app: App, stop: CancellationToken) {
    tokio::join!(act(&app, stop.clone()), wait(&app, stop));
}

/// Does what was decided.
async fn act(app: &App, stop: CancellationToken) {
    let bell = app.action_bell().listen();
    let gone = &stop.clone();
    driver::run_woken("actions", AFTER_FAILURE, stop, bell, |_| async move {
        tokio::select! {
            next = app.do_actions() => Ok(until(app, next?)),
            () = left(gone) => Ok(LONGEST_SLEEP),
        }
    })
    .await;
}

async fn left(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(LEAVE).await;
}

/// Looks at windows that have passed.
async fn wait(app: &App, stop: CancellationToken) {
    let bell = app.trigger_bell().listen();
    let first = app.now() + AT_FIRST;
    driver::run_woken(
        "triggers",
        AFTER_FAILURE,
        stop,
        bell,
        |is_rung| async move {
            if app.now() < first {
                return Ok(until(app, Some(first)));
            }
            if !is_rung {
                app.forget_windows().await?;
            }
            let next = app.look_at_windows().await?;
            Ok(until(app, next))
        },
    )
    .await;
}

fn until(app: &App, next: Option<Timestamp>) -> Duration {
    let Some(next) = next else {
        return LONGEST_SLEEP;
    };
    let left = u64::try_from((next - app.now()).micros()).unwrap_or(0);
    // A moment more, so that it has come when this wakes.
    (Duration::from_micros(left) + Duration::from_millis(1)).min(LONGEST_SLEEP)
}

//! Stopping a process until it is stopped: an engine may fail at that, too.

use std::time::{Duration, Instant};

use crate::fault;
use crate::runners::{Made, Runner};

/// The first pause before a stop that failed is tried again; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest of these pauses.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Asks until the runner has stopped it. The grace period is given once, whatever fails.
pub(super) async fn until_stopped(runner: &dyn Runner, made: &Made, grace: Duration) {
    let (begun, mut pause) = (Instant::now(), FIRST_PAUSE);
    loop {
        fault::point("before-stop");
        let left = grace.saturating_sub(begun.elapsed());
        match runner.stop(made, left).await {
            Ok(()) => break,
            Err(error) => {
                tracing::error!(container = %made.name, %error, "a run does not stop; trying again");
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    fault::point("after-stop");
}

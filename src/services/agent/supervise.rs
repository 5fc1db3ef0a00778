//! What is not foreseen: a task that panics. Its run is taken up again, as after a restart.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::PoisonError;

use futures_util::FutureExt;

use super::{Agent, Attempt, TELL_AGAIN, end};
use crate::domain::error::{Error, Result};
use crate::domain::ids::FlowRunId;

/// How often a run is taken up again before it is given up.
const MOST_FAILURES: u32 = 3;

impl Agent {
    /// Starts a task that looks after an attempt at a run. If it panics, nobody looks after the
    /// run any more, so that the next activation takes it up again; one with which this happens
    /// again and again ends as Crashed.
    pub(super) fn look_after<F>(
        self: &Arc<Self>,
        id: FlowRunId,
        attempt: Attempt,
        work: impl FnOnce(Arc<Attempt>) -> F,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let attempt = Arc::new(attempt);
        let work = AssertUnwindSafe(work(Arc::clone(&attempt))).catch_unwind();
        let agent = Arc::clone(self);
        self.tasks.spawn(async move {
            match work.await {
                Ok(()) => drop(agent.failures().remove(&id)),
                Err(panic) => agent.failed_at(id, &told(panic.as_ref())).await,
            }
            agent.leave(id, attempt.number);
        });
    }

    async fn failed_at(&self, id: FlowRunId, panic: &str) {
        let failures = {
            let mut failures = self.failures();
            let failures = failures.entry(id).or_default();
            *failures += 1;
            *failures
        };
        tracing::error!(prefect.flow_run_id = %id, failures, "looking after a run failed: {panic}");
        if failures >= MOST_FAILURES {
            self.failures().remove(&id);
            if let Err(error) = self.control_plane.end_run(id, end::given_up(panic)).await {
                tracing::error!(prefect.flow_run_id = %id, %error, "its end is not recorded yet");
            }
        }
        // What fails at once is not tried without a pause.
        tokio::time::sleep(TELL_AGAIN).await;
    }

    fn failures(&self) -> std::sync::MutexGuard<'_, std::collections::HashMap<FlowRunId, u32>> {
        // Each change is one call; it is never left half-done.
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at everything once. A look that panics is one that failed.
    pub(super) async fn activate_supervised(self: &Arc<Self>) -> Result<()> {
        let looked = AssertUnwindSafe(self.activate()).catch_unwind().await;
        looked.unwrap_or_else(|panic| Err(Error::internal(told(panic.as_ref()))))
    }
}

/// What a panic says.
fn told(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a panic without words".to_owned())
}

//! Runs that take longer than they may.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use super::run_log::RunLog;
use super::stop::until_stopped;
use super::{Agent, end};
use crate::domain::flow_run::FlowRun;
use crate::runners::{Made, Runner};

/// How long to wait before recording again what could not be recorded.
const RETRY: Duration = Duration::from_secs(1);

impl Agent {
    /// Ends the run as TimedOut once its time is over, and then stops its process. The time
    /// counts from when the run was taken, whoever watched it since. Never answers: the
    /// process's end is told by waiting for it.
    pub(super) async fn enforce_time_limit(
        &self,
        run: &FlowRun,
        runner: &Arc<dyn Runner>,
        made: &Made,
        own: Option<Duration>,
        log: &RunLog,
    ) -> Infallible {
        let Some(limit) = own.into_iter().chain(self.settings().time_limit).min() else {
            return std::future::pending().await;
        };
        tokio::time::sleep(limit.saturating_sub(self.age(run))).await;
        let state = end::timed_out(limit);
        let message = state.message.clone().unwrap_or_default();
        loop {
            match self.control_plane.end_run(run.id, state.clone()).await {
                Ok(true) => {
                    log.complain(message);
                    break;
                }
                // It ended, or was scheduled anew.
                Ok(false) => return std::future::pending().await,
                Err(error) => {
                    tracing::error!(prefect.flow_run_id = %run.id, %error, "a run's time is over");
                }
            }
            tokio::time::sleep(RETRY).await;
        }
        until_stopped(runner.as_ref(), made, self.settings().stop_grace).await;
        std::future::pending().await
    }

    /// How long ago the run was taken.
    fn age(&self, run: &FlowRun) -> Duration {
        let now = self.control_plane.now();
        let since = run.claim.as_ref().map_or(now, |claim| claim.at);
        let micros = (now - since).micros();
        Duration::from_micros(u64::try_from(micros).unwrap_or_default())
    }
}

//! Looks whether everything is alive, and tells systemd how things stand.
//!
//! What hangs is killed by systemd's watchdog and started again. It is fed only after a
//! transaction has gone through the writer and while the agent comes round; an engine that
//! does not answer is no reason to be killed, so the agent has longer than any call to it.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::systemd::{self, StatusLine};
use crate::app::App;
use crate::domain::agent::AgentReport;
use crate::domain::error::Result;
use crate::domain::filter::Filters;
use crate::domain::state::StateType;
use crate::domain::time::Timestamp;

/// How often to look, at least.
const EVERY: Duration = Duration::from_secs(5);
/// How long one look of the agent may take. Calls to the engine give up sooner.
const AGENT_TIMEOUT: Duration = Duration::from_secs(300);

/// What is looked at.
pub(super) struct Health {
    /// The app whose writer is tried.
    pub app: App,
    /// Whether there is an embedded agent.
    pub has_agent: bool,
    /// Where it is told.
    pub line: Arc<StatusLine>,
}

impl Health {
    /// Looks until `stop`. Nobody looks when nobody listens.
    pub async fn keep(self, stop: CancellationToken) {
        if !systemd::is_listening() {
            return;
        }
        let watchdog = systemd::watchdog();
        let every = watchdog.map_or(EVERY, |interval| EVERY.min(interval / 2));
        let started = self.app.now();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.look(started) => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(every) => {}
            }
        }
    }

    async fn look(&self, started: Timestamp) {
        // A writer that hangs leaves this waiting, and the watchdog unfed.
        let writes = self.app.check_writer_lives().await;
        let report = self.app.embedded_report();
        if writes.is_ok() && self.agent_lives(report.as_ref(), started) {
            systemd::alive();
        }
        match self.status(report.as_ref()).await {
            Ok(status) => self.line.stand(match self.app.storage_trouble() {
                Some(trouble) => format!("{status}; {trouble}"),
                None => status,
            }),
            Err(error) => self
                .line
                .stand(format!("the database does not answer: {error}")),
        }
    }

    fn agent_lives(&self, report: Option<&AgentReport>, started: Timestamp) -> bool {
        if !self.has_agent {
            return true;
        }
        let last = report.and_then(|report| report.last_activation);
        let silent = (self.app.now() - last.unwrap_or(started)).micros();
        let silent = Duration::from_micros(u64::try_from(silent).unwrap_or(0));
        if silent > AGENT_TIMEOUT / 2 {
            // One whose poll is long is asked to look now.
            self.app.agent_bell().ring();
        }
        silent < AGENT_TIMEOUT
    }

    async fn status(&self, report: Option<&AgentReport>) -> Result<String> {
        let running = self.count(StateType::Running).await?;
        let pending = self.count(StateType::Pending).await?;
        let scheduled = self.count(StateType::Scheduled).await?;
        let counts = format!("{running} running, {pending} starting, {scheduled} scheduled");
        Ok(
            match report.and_then(|report| report.engine_trouble.as_ref()) {
                Some(trouble) => format!("{counts}; engine away: {trouble}"),
                None => counts,
            },
        )
    }

    async fn count(&self, kind: StateType) -> Result<u64> {
        let filters = Filters::of_flow_runs_in(&[kind]);
        self.app.count_flow_runs(filters).await
    }
}

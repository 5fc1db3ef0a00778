//! SIGHUP: reads the settings again.
//!
//! They are checked as a whole before any is used. What the daemon can change while it runs
//! is changed: the log level and everything about the agent and its runs. The rest is named,
//! and used at the next start.

use std::sync::Arc;

use super::systemd::{self, StatusLine};
use crate::config::{Flags, Settings};
use crate::domain::alert;
use crate::logging;
use crate::services::agent::Agent;

/// What new settings apply to.
pub(super) struct Reload {
    /// The command line, which wins over any file.
    pub flags: Flags,
    /// What is in force.
    pub settings: Settings,
    /// The embedded agent.
    pub agent: Option<Arc<Agent>>,
    /// Where refusals are told.
    pub line: Arc<StatusLine>,
}

impl Reload {
    /// Reads, checks, and applies or keeps what was.
    pub fn carry_out(&mut self) {
        systemd::reloading();
        match self.apply() {
            Ok(waiting) if waiting.is_empty() => {
                tracing::info!("settings read again");
                self.line.note(None);
            }
            Ok(waiting) => {
                let note = format!("needs a restart: {}", waiting.join(", "));
                tracing::warn!("settings read again; {note}");
                self.line.note(Some(note));
            }
            Err(error) => {
                tracing::error!(
                    message_id = alert::CONFIG_REFUSED,
                    "settings kept as they were: {error:#}"
                );
                self.line.note(Some(format!("settings refused: {error:#}")));
            }
        }
        systemd::ready();
    }

    /// Answers what needs a restart.
    fn apply(&mut self) -> anyhow::Result<Vec<&'static str>> {
        let fresh = Settings::load(self.flags.clone())?;
        logging::set_level(&fresh.log_level)?;
        if let Some(agent) = &self.agent {
            agent.reconfigure(
                fresh.agent.clone(),
                fresh.python.clone(),
                fresh.containers.clone(),
            );
        }
        Ok(self.settings.fixed_differences(&fresh))
    }
}

//! SIGHUP: reads the settings again.
//!
//! They are checked as a whole before any is used. What the daemon can change while it runs
//! is changed: the log level and everything about the agent and its runs. The rest is named,
//! and used at the next start.

use std::sync::Arc;

use tokio::sync::watch;

use super::host_probe::InForce;
use super::systemd::{self, StatusLine};
use crate::config::{self, Flags};
use crate::domain::alert;
use crate::logging;
use crate::services::agent::Agent;

/// What new settings apply to.
pub(super) struct Reload {
    /// The command line, which wins over any file.
    pub flags: Flags,
    /// What is in force.
    pub in_force: watch::Sender<InForce>,
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
        let fresh = config::Settings::load(self.flags.clone())?;
        let told = config::effective(&self.flags, &fresh)?;
        logging::set_level(&fresh.log_level)?;
        if let Some(agent) = &self.agent {
            agent.reconfigure(
                fresh.agent.clone(),
                fresh.python.clone(),
                fresh.containers.clone(),
            );
        }
        let waiting = self.in_force.borrow().settings.fixed_differences(&fresh);
        self.in_force.send_modify(|now| {
            let waits = |key: &str| {
                let is_of = |name: &&str| key == *name || key.starts_with(&format!("{name}."));
                waiting.iter().any(is_of)
            };
            for setting in told {
                let known = now.told.iter_mut().find(|known| known.key == setting.key);
                if let Some(known) = known.filter(|known| !waits(&known.key)) {
                    *known = setting;
                }
            }
            // What is fixed stays; what is asked of these is only what changes.
            now.settings.agent = fresh.agent;
            now.settings.python = fresh.python;
            now.settings.containers = fresh.containers;
        });
        Ok(waiting)
    }
}

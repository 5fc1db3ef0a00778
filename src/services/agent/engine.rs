//! An engine that may go away and come back.
//!
//! Nothing is concluded from its silence: runs that it holds stay as they are, runs that need
//! it stay where they are, and all go on when it answers again. Only an engine that never
//! answered is taken for one that is not there.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Agent;
use crate::domain::alert;
use crate::domain::error::{Error, Kind, Result};
use crate::runners::RunnerError;

/// How often an engine that is away is asked.
pub(super) const ASK_AGAIN: Duration = Duration::from_millis(500);

impl Agent {
    /// Asks once, at the start.
    pub(super) async fn meet_engine(&self) {
        if self.runners.containers.check().await.is_ok() {
            self.engine_answered();
        }
    }

    /// Whether containers can be made now. An engine that was away is asked.
    pub(super) async fn engine(&self) -> Result<()> {
        if !self.is_engine_away() {
            return Ok(());
        }
        match self.runners.containers.check().await {
            Ok(()) => {
                self.engine_answered();
                Ok(())
            }
            Err(error) => Err(Error::new(Kind::Unavailable, error.to_string())),
        }
    }

    pub(super) fn is_engine_away(&self) -> bool {
        self.active().engine_trouble.is_some()
    }

    pub(super) fn engine_answered(&self) {
        self.engine_seen.store(true, Ordering::Relaxed);
        if self.active().engine_trouble.take().is_some() {
            tracing::info!(message_id = alert::ENGINE_BACK, "the engine is back");
        }
    }

    /// Notes that the engine does not answer. True when it is worth waiting for it.
    pub(super) fn engine_is_away(&self, error: &RunnerError) -> bool {
        if !self.engine_seen.load(Ordering::Relaxed) {
            return false;
        }
        let known = self.active().engine_trouble.replace(error.to_string());
        if known.is_none() {
            tracing::warn!(
                message_id = alert::ENGINE_AWAY,
                "the engine is away: {error}"
            );
        }
        true
    }
}

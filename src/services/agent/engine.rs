//! An engine that may go away and come back.
//!
//! Nothing is concluded from its silence: runs that it holds stay as they are, runs that need
//! it stay where they are, and all go on when it answers. An engine that has never answered is
//! no different: it may be installed, or come, after the agent.

use std::time::{Duration, Instant};

use super::Agent;
use crate::domain::alert;
use crate::domain::error::{Error, Kind, Result};
use crate::runners::RunnerError;

/// How often an engine that is away is asked at first.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// How often one is asked that is away for longer than [`AWHILE`].
pub(super) const ASK_SELDOM: Duration = Duration::from_secs(5);
/// See there.
const AWHILE: Duration = Duration::from_secs(60);
/// How long an engine may take to say that it is there. Other runs wait meanwhile.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);

/// An engine that does not answer.
#[derive(Clone, Debug)]
pub(super) struct EngineTrouble {
    /// Why, and where it was looked for.
    pub told: String,
    since: Instant,
}

impl Agent {
    /// Asks once, at the start, so that no run is taken that would have to wait here.
    pub(super) async fn meet_engine(&self) {
        if self.refuses_containers() {
            return;
        }
        match self.ask_engine().await {
            Ok(()) => self.engine_answered(),
            Err(error) => self.engine_is_away(&error),
        }
    }

    /// Whether containers can be made now. An engine that was away is asked.
    pub(super) async fn engine(&self) -> Result<()> {
        if !self.is_engine_away() {
            return Ok(());
        }
        match self.ask_engine().await {
            Ok(()) => {
                self.engine_answered();
                Ok(())
            }
            Err(error) => {
                self.engine_is_away(&error);
                Err(Error::new(Kind::Unavailable, error.to_string()))
            }
        }
    }

    async fn ask_engine(&self) -> std::result::Result<(), RunnerError> {
        let asked = self.runners.containers.check();
        let silent = || {
            RunnerError::Away(format!(
                "The container engine did not answer in {TIMEOUT:?}."
            ))
        };
        let answer = tokio::time::timeout(TIMEOUT, asked).await;
        answer.unwrap_or_else(|_| Err(silent()))
    }

    pub(super) fn is_engine_away(&self) -> bool {
        self.active().engine_trouble.is_some()
    }

    /// When an engine that is away is asked next.
    pub(super) fn ask_engine_again_in(&self) -> Duration {
        match &self.active().engine_trouble {
            Some(trouble) if trouble.since.elapsed() > AWHILE => ASK_SELDOM,
            _ => ASK_AGAIN,
        }
    }

    pub(super) fn engine_answered(&self) {
        if self.active().engine_trouble.take().is_some() {
            tracing::info!(message_id = alert::ENGINE_BACK, "the engine is back");
        }
    }

    /// Notes that the engine does not answer.
    pub(super) fn engine_is_away(&self, error: &RunnerError) {
        let mut activity = self.active();
        let known = activity.engine_trouble.take();
        let is_known = known.is_some();
        activity.engine_trouble = Some(EngineTrouble {
            told: error.to_string(),
            since: known.map_or_else(Instant::now, |known| known.since),
        });
        drop(activity);
        if !is_known {
            tracing::warn!(
                message_id = alert::ENGINE_AWAY,
                "the engine is away: {error}"
            );
        }
    }
}

//! Runs that somebody wants to end.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::Agent;
use super::end::TIMED_OUT;
use super::stop::until_stopped;
use crate::domain::error::{Kind, Result};
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::domain::state::StateType;
use crate::runners::{Made, Runner};

impl Agent {
    /// Stops the processes of runs that are Cancelling, and of runs that were ended from
    /// outside while their process still lives: set to Cancelled, or given up as Crashed
    /// because this agent was not heard of. The watching task tells the end.
    pub(super) async fn stop_cancelled(self: &Arc<Self>, held: &[FlowRun]) -> Result<()> {
        for id in self.live() {
            let run = match held.iter().find(|run| run.id == id) {
                Some(run) => run.clone(),
                // It has ended or is gone.
                None => match self.control_plane.flow_run(id).await {
                    Err(gone) if gone.kind() == Kind::NotFound => continue,
                    run => run?,
                },
            };
            if is_to_stop(&run)
                && let Some((made, over)) = self.mark_stopping(id)
            {
                self.stop(self.runner(&run), made, over);
            }
        }
        Ok(())
    }

    /// The watched runs that were not asked to stop yet.
    fn live(&self) -> Vec<FlowRunId> {
        let watched = self.watched();
        let live = watched.iter().filter(|(_, known)| !known.stopping);
        live.map(|(id, _)| *id).collect()
    }

    /// Has the run's submission broken off; what was made for it, if it was, is to be stopped,
    /// until nobody looks after it any more.
    fn mark_stopping(&self, id: FlowRunId) -> Option<(Made, CancellationToken)> {
        let mut watched = self.watched();
        let known = watched.get_mut(&id)?;
        known.unwanted.cancel();
        let made = known.made.clone()?;
        known.stopping = true;
        Some((made, known.over.clone()))
    }

    fn stop(self: &Arc<Self>, runner: Arc<dyn Runner>, made: Made, over: CancellationToken) {
        let grace = self.settings().stop_grace;
        self.tasks.spawn(async move {
            tokio::select! {
                () = until_stopped(runner.as_ref(), &made, grace) => {}
                () = over.cancelled() => {}
            }
        });
    }
}

/// Whether a process that lives should not. Runs that end themselves do so as Completed or
/// Failed, and their processes are about to end.
pub(super) fn is_to_stop(run: &FlowRun) -> bool {
    let Some(state) = &run.state else {
        return false;
    };
    match state.kind {
        StateType::Cancelling | StateType::Cancelled | StateType::Crashed => true,
        StateType::Failed => state.name == TIMED_OUT,
        _ => false,
    }
}

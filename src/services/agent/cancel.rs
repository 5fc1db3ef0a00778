//! Runs that somebody wants to end.

use std::sync::Arc;

use super::Agent;
use super::end::TIMED_OUT;
use crate::domain::error::{Kind, Result};
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::domain::state::StateType;
use crate::fault;
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
                None => match self.desk.flow_run(id).await {
                    Err(gone) if gone.kind() == Kind::NotFound => continue,
                    run => run?,
                },
            };
            if is_to_stop(&run)
                && let Some(made) = self.mark_stopping(id)
            {
                self.stop(self.runner(&run), made);
            }
        }
        Ok(())
    }

    /// The watched runs that have a process and were not asked to stop yet.
    fn live(&self) -> Vec<FlowRunId> {
        let watched = self.watched();
        let live = watched
            .iter()
            .filter(|(_, known)| known.made.is_some() && !known.stopping);
        live.map(|(id, _)| *id).collect()
    }

    fn mark_stopping(&self, id: FlowRunId) -> Option<Made> {
        let mut watched = self.watched();
        let known = watched.get_mut(&id)?;
        known.stopping = true;
        known.made.clone()
    }

    fn stop(self: &Arc<Self>, runner: Arc<dyn Runner>, made: Made) {
        let grace = self.settings().stop_grace;
        self.tasks.spawn(async move {
            fault::point("before-stop");
            if let Err(error) = runner.stop(&made, grace).await {
                tracing::error!(container = %made.name, %error, "a cancelled run does not stop");
            }
            fault::point("after-stop");
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

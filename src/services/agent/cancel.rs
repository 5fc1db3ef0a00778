//! Runs that somebody wants to end.

use std::sync::Arc;

use super::Agent;
use crate::domain::error::{Kind, Result};
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::domain::state::StateType;
use crate::runners::{Made, Runner};

impl Agent {
    /// Stops the processes of runs that are Cancelling, and of runs that were set to
    /// Cancelled while their process still lives. The watching task tells the end.
    pub(super) async fn stop_cancelled(self: &Arc<Self>, held: &[FlowRun]) -> Result<()> {
        for id in self.live() {
            let run = match held.iter().find(|run| run.id == id) {
                Some(run) => run.clone(),
                // It has ended or is gone.
                None => match self.app.flow_run(id).await {
                    Err(gone) if gone.kind() == Kind::NotFound => continue,
                    run => run?,
                },
            };
            let kind = run.state.as_ref().map(|state| state.kind);
            if matches!(kind, Some(StateType::Cancelling | StateType::Cancelled))
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
        let grace = self.settings.stop_grace;
        self.tasks.spawn(async move {
            if let Err(error) = runner.stop(&made, grace).await {
                tracing::error!(container = %made.name, %error, "a cancelled run does not stop");
            }
        });
    }
}

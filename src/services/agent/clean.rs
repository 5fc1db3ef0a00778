//! Containers of runs that have ended: kept for a while, to be looked at, and then removed.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Agent;
use super::cancel::is_to_stop;
use crate::domain::agent::ContainerRetention;
use crate::domain::ids::FlowRunId;
use crate::domain::time::{Span, Timestamp};
use crate::runners::{Found, Runner, RunnerError, RunnerFuture, Status};

/// How often to look.
const EVERY: Duration = Duration::from_secs(60);
/// How long it may take to end or remove one of them, beyond the time that it is given to end.
const MARGIN: Duration = Duration::from_secs(30);

impl Agent {
    /// Works until `stop`. Only what carries this agent's label is ever touched.
    pub(super) async fn keep_clean(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            self.clean().await;
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// Whether anything is kept of runs that have ended.
    pub(super) fn keeps_any(&self) -> bool {
        self.settings().keep.at_most > 0
    }

    async fn clean(&self) {
        let Ok(held) = self.control_plane.held_runs().await else {
            return; // another time
        };
        let mut busy: HashSet<_> = held.iter().map(|run| run.id).collect();
        busy.extend(self.watched().keys());
        for runner in [&self.runners.containers, &self.runners.processes] {
            let found = all_of(runner.as_ref()).await;
            for lost in found.iter().filter(|one| !busy.contains(&one.flow_run_id)) {
                self.stop_lost(lost).await;
            }
        }
        self.remove_old(busy).await;
    }

    async fn remove_old(&self, mut busy: HashSet<FlowRunId>) {
        for runner in [&self.runners.containers, &self.runners.processes] {
            self.remove_old_of(runner.as_ref(), &mut busy).await;
        }
    }

    async fn remove_old_of(&self, runner: &dyn Runner, busy: &mut HashSet<FlowRunId>) {
        let found = all_of(runner).await;
        // A run that was taken meanwhile may have its container among those that were found.
        busy.extend(self.watched().keys());
        for old in superfluous(found, busy, self.settings().keep, self.control_plane.now()) {
            let removed = self.within_time(runner.remove(&old.made)).await;
            match removed {
                Ok(()) => tracing::info!(container = %old.made.name, "removed an old container"),
                Err(error) => {
                    tracing::warn!(container = %old.made.name, %error, "an old container stays");
                }
            }
        }
    }

    /// What is ended or removed, one by one, unless it takes so long that others wait for it.
    async fn within_time(&self, done: RunnerFuture<'_, ()>) -> Result<(), RunnerError> {
        let most = self.settings().stop_grace + MARGIN;
        let done = tokio::time::timeout(most, done).await;
        done.unwrap_or_else(|_| {
            Err(RunnerError::Away(format!(
                "It took longer than {} s.",
                most.as_secs()
            )))
        })
    }

    /// Stops what still runs for a run that was ended while nobody watched.
    async fn stop_lost(&self, lost: &Found) {
        if lost.status != Status::Running {
            return;
        }
        let Ok(run) = self.control_plane.flow_run(lost.flow_run_id).await else {
            return;
        };
        if !is_to_stop(&run) {
            return;
        }
        tracing::warn!(prefect.flow_run_id = %run.id, container = %lost.made.name, "its run has ended; stopping it");
        let runner = self.runner(&run);
        let grace = self.settings().stop_grace;
        if let Err(error) = self.within_time(runner.stop(&lost.made, grace)).await {
            tracing::error!(container = %lost.made.name, %error, "it does not stop");
        }
    }
}

/// Everything of ours, as far as what has made it answers.
async fn all_of(runner: &dyn Runner) -> Vec<Found> {
    let mut found = runner.find().await.unwrap_or_default();
    found.extend(runner.find_on_cluster().await.unwrap_or_default());
    found
}

/// What is not to be kept of all that was found.
fn superfluous(
    found: Vec<Found>,
    busy: &HashSet<FlowRunId>,
    keep: ContainerRetention,
    now: Timestamp,
) -> Vec<Found> {
    let over = |one: &Found| one.status != Status::Running && !busy.contains(&one.flow_run_id);
    let mut over: Vec<_> = found.into_iter().filter(over).collect();
    over.sort_by_key(|one| std::cmp::Reverse(one.created));
    let age = Span::from_micros(i64::try_from(keep.at_most_for.as_micros()).unwrap_or(i64::MAX));
    let is_old = |one: &Found| one.created.is_some_and(|made| now - made > age);
    let mut kept = 0;
    over.retain(|one| {
        let keeps = !one.removes_itself && !is_old(one) && kept < keep.at_most;
        kept += usize::from(keeps);
        !keeps
    });
    over
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runners::Made;

    fn found(name: &str, minute: i64, status: Status) -> Found {
        Found {
            flow_run_id: FlowRunId::new(),
            made: Made {
                id: name.to_owned(),
                name: name.to_owned(),
            },
            status,
            created: Some(Timestamp::from_micros(minute * 60_000_000)),
            removes_itself: name == "auto",
        }
    }

    #[test]
    fn the_newest_ended_ones_are_kept_for_a_while() {
        let busy = found("busy", 1, Status::Ended);
        let busy_runs = HashSet::from([busy.flow_run_id]);
        let all = vec![
            found("old", 1, Status::Ended),
            found("first", 60, Status::Ended),
            found("second", 61, Status::Ended),
            found("third", 62, Status::Created),
            found("auto", 63, Status::Ended),
            found("running", 1, Status::Running),
            busy,
        ];
        let keep = ContainerRetention {
            at_most_for: Duration::from_secs(600),
            at_most: 2,
        };
        let now = Timestamp::from_micros(65 * 60_000_000);
        let gone = superfluous(all, &busy_runs, keep, now);
        let names: Vec<_> = gone.iter().map(|one| one.made.name.as_str()).collect();
        assert_eq!(names, ["auto", "first", "old"]);
    }
}

//! Runs that the agent holds and does not watch: taken before the daemon was killed, or by
//! a submission that was cut off. What the engine knows decides how each goes on.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use super::cancel::is_to_stop;
use super::engine::{ASK_SELDOM, TIMEOUT};
use super::run_log::RunLog;
use super::submit::remove_unwanted;
use super::watch::Then;
use super::{Agent, Attempt, end, has_ended};
use crate::domain::container::Placement;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::domain::runner::service_of;
use crate::domain::state::StateType;
use crate::runners::{Found, Job, Made, Runner, RunnerError, Status, spec};

impl Agent {
    /// Takes every unwatched run up again. An engine that does not answer decides nothing:
    /// its runs are left for the next activation, and the trouble is told.
    pub(super) async fn adopt(self: &Arc<Self>, held: &[FlowRun]) -> Result<()> {
        let unwatched: Vec<_> = {
            let watched = self.watched();
            let lost = held.iter().filter(|run| !watched.contains_key(&run.id));
            lost.cloned().collect()
        };
        let (containers, processes): (Vec<_>, Vec<_>) = unwatched
            .into_iter()
            .partition(|run| run.infrastructure.is_container());
        // A cluster that does not answer says nothing of what is on the engine.
        let (on_cluster, containers): (Vec<_>, Vec<_>) = containers
            .into_iter()
            .partition(|run| self.is_on_cluster(run));
        let (of_processes, of_containers) = (&self.runners.processes, &self.runners.containers);
        let first = match processes.is_empty() {
            true => Ok(()),
            false => {
                let found = of_processes.find().await;
                self.adopt_from(of_processes, found, processes).await
            }
        };
        let second = match containers.is_empty() {
            true => Ok(()),
            false => {
                let found = of_containers.find().await;
                self.adopt_from(of_containers, found, containers).await
            }
        };
        let third = match on_cluster.is_empty() {
            true => Ok(()),
            false => {
                let found = self.found_on_cluster().await;
                match found {
                    // The engine's runs have nothing to do with it.
                    Err(RunnerError::Away(told)) if !self.is_all_on_cluster() => {
                        tracing::warn!("the cluster does not answer: {told}");
                        Ok(())
                    }
                    found => self.adopt_from(of_containers, found, on_cluster).await,
                }
            }
        };
        first.and(second).and(third)
    }

    /// What is found on the cluster, unless that takes so long that other runs wait for it.
    async fn found_on_cluster(&self) -> std::result::Result<Vec<Found>, RunnerError> {
        let found = tokio::time::timeout(TIMEOUT, self.runners.containers.find_on_cluster());
        found.await.unwrap_or_else(|_| {
            Err(RunnerError::Away(format!(
                "The swarm's manager did not answer in {TIMEOUT:?}."
            )))
        })
    }

    /// Notes that what a run was to be made by does not answer. Where that is a cluster for some runs
    /// alone, whoever asks for it again waits a while first.
    pub(super) async fn is_away(&self, run: &FlowRun, error: &RunnerError) {
        if self.is_on_cluster(run) && !self.is_all_on_cluster() {
            tracing::warn!("the cluster does not answer: {error}");
            tokio::time::sleep(ASK_SELDOM).await;
        } else {
            self.engine_is_away(error);
        }
    }

    fn is_all_on_cluster(&self) -> bool {
        self.runner_settings().placement == Placement::Swarm
    }

    /// Whether a container's run is on the cluster, or is to be there.
    fn is_on_cluster(&self, run: &FlowRun) -> bool {
        match recorded(run) {
            Some(made) => service_of(made).is_some(),
            None => spec::job(run, &self.runner_settings()).is_ok_and(|job| job.is_on_cluster()),
        }
    }

    async fn adopt_from(
        self: &Arc<Self>,
        runner: &Arc<dyn Runner>,
        found: std::result::Result<Vec<Found>, RunnerError>,
        runs: Vec<FlowRun>,
    ) -> Result<()> {
        let found = found.map_err(|error| {
            if matches!(error, RunnerError::Away(_)) {
                self.engine_is_away(&error);
            }
            Error::new(Kind::Unavailable, error.to_string())
        })?;
        let mut by_run: HashMap<FlowRunId, Vec<Found>> = HashMap::new();
        for found in found {
            by_run.entry(found.flow_run_id).or_default().push(found);
        }
        for run in runs {
            let several = by_run.remove(&run.id).unwrap_or_default();
            let found = several.into_iter().max_by_key(|found| rank(&run, found));
            self.take_up(runner, run, found).await?;
        }
        Ok(())
    }

    async fn take_up(
        self: &Arc<Self>,
        runner: &Arc<dyn Runner>,
        run: FlowRun,
        found: Option<Found>,
    ) -> Result<()> {
        let kind = run.state.as_ref().map(|state| state.kind);
        match (kind, found) {
            (Some(StateType::Scheduled), _) => Ok(()), // scheduled anew; it will be taken when due
            (Some(StateType::Pending), None) => {
                self.begin(run);
                Ok(())
            }
            // Ended before it got this far, and tried again since: the old one says nothing.
            (Some(StateType::Pending), Some(found))
                if found.status == Status::Ended && is_older(&run, &found) =>
            {
                self.begin(run);
                Ok(())
            }
            (Some(kind), None) if kind.is_terminal() => {
                self.control_plane.close_output(run.id).await
            }
            (Some(StateType::Cancelling), None) => self
                .control_plane
                .end_run(run.id, end::cancelled())
                .await
                .map(drop),
            (_, None) => self
                .control_plane
                .end_run(run.id, end::vanished())
                .await
                .map(drop),
            (_, Some(found)) => {
                self.go_on(runner, run, found);
                Ok(())
            }
        }
    }

    /// Watches what was found, starting it first when that was not done.
    fn go_on(self: &Arc<Self>, runner: &Arc<dyn Runner>, run: FlowRun, found: Found) {
        let attempt = self.enter(run.id);
        let (agent, runner) = (Arc::clone(self), Arc::clone(runner));
        self.look_after(run.id, attempt, move |attempt| async move {
            let (log, stored) = RunLog::open(&agent.control_plane, &run).await;
            log.made(&found.made);
            let is_kept = !found.removes_itself && agent.keeps_any();
            let own = (!is_kept).then(|| found.made.clone());
            let left = match agent.resume(runner, &run, &attempt, found, &log).await {
                Then::Nothing => own,
                Then::Again => {
                    if let Some(own) = own {
                        agent.tidy(&run, &own).await;
                    }
                    agent.try_until_over(&run, &attempt, &log).await
                }
            };
            drop(log);
            agent.close(&run, attempt.number, stored, left).await;
        });
    }

    async fn resume(
        &self,
        runner: Arc<dyn Runner>,
        run: &FlowRun,
        attempt: &Attempt,
        found: Found,
        log: &RunLog,
    ) -> Then {
        let job = spec::job(run, &self.runner_settings());
        let is_over = has_ended(run);
        if found.status == Status::Created && (is_over || is_to_stop(run)) {
            // It never ran, and need not.
            remove_unwanted(runner.as_ref(), &found.made).await;
            if !is_over {
                self.end_before_start(run, log).await;
            }
            return Then::Nothing;
        }
        if !is_over {
            log.tell(format!("Found '{}' again", found.made.name));
        }
        self.set_made(run.id, attempt.number, &found.made);
        if let Err(error) = self.record(run, &found.made).await {
            tracing::warn!(prefect.flow_run_id = %run.id, %error, "not recorded what was found");
        }
        if let (Status::Created, Ok(job)) = (&found.status, &job)
            && let Err(error) = runner.start(&found.made, job).await
        {
            if matches!(error, RunnerError::Away(_)) {
                self.is_away(run, &error).await;
                return Then::Nothing; // found again when the engine is back
            }
            if matches!(error, RunnerError::MakeAnew(_)) {
                remove_unwanted(runner.as_ref(), &found.made).await;
                return Then::Again;
            }
            if is_gone(runner.as_ref(), &found.made).await {
                log.tell("What was found was never finished; submitting the run again");
                return Then::Again;
            }
            log.complain(format!("Submission failed. {error}"));
            let ended = self
                .control_plane
                .end_run(run.id, end::not_submitted(&error))
                .await;
            if let Err(error) = ended {
                tracing::error!(prefect.flow_run_id = %run.id, %error, "a failed start is not recorded");
            }
            return Then::Nothing;
        }
        let job = match job {
            Ok(job) => job,
            // Its settings were permitted when it was made; it is watched nevertheless.
            Err(_) => Job::unknown(run),
        };
        let since = (found.status == Status::Created).then(Instant::now);
        self.watch(run, runner, &found.made, &job, since, log).await
    }
}

/// Whether the runner knows nothing of it. An engine whose caller dies during a creation
/// takes back what it has made so far, which nobody has started.
async fn is_gone(runner: &dyn Runner, made: &Made) -> bool {
    let found = match service_of(&made.id) {
        Some(_) => runner.find_on_cluster().await,
        None => runner.find().await,
    };
    found.is_ok_and(|found| found.iter().all(|one| one.made.id != made.id))
}

/// True when the claim that is in force was made after what was found.
fn is_older(run: &FlowRun, found: &Found) -> bool {
    !is_recorded(run, found)
}

fn recorded(run: &FlowRun) -> Option<&str> {
    let claim = run.claim.as_ref()?;
    claim.infrastructure_id.as_deref()
}

fn is_recorded(run: &FlowRun, found: &Found) -> bool {
    recorded(run).is_some_and(|recorded| recorded.ends_with(&found.made.id))
}

/// Which of several counts, of a run that was tried again, or whose submission was cut off and took
/// effect all the same: of one that has begun that which is recorded; else one that is not over, and
/// of these again that which is recorded, or one that runs.
fn rank(run: &FlowRun, found: &Found) -> (bool, bool, bool, bool) {
    let is_recorded = is_recorded(run, found);
    let kind = run.state.as_ref().map(|state| state.kind);
    let status = &found.status;
    (
        is_recorded && kind != Some(StateType::Pending),
        *status != Status::Ended,
        is_recorded,
        *status == Status::Running,
    )
}

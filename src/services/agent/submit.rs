//! From a taken run to a running process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::task::JoinHandle;

use super::control_plane::KeyFor;
use super::run_log::RunLog;
use super::watch::Then;
use super::{Agent, Attempt, TELL_AGAIN, end, is_passing};
use crate::domain::access::RunKey;
use crate::domain::error::Kind;
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::fault;
use crate::metrics;
use crate::runners::{Job, Made, Runner, RunnerError, RunnerSettings, Step, spec};

impl Agent {
    /// Makes and starts the run's process and sees it to its end. A submission that fails
    /// ends the run at once, with the engine's own words.
    pub(super) async fn submit(self: &Arc<Self>, run: FlowRun, attempt: &Attempt) {
        let (log, stored) = RunLog::open(&self.control_plane, &run).await;
        let left = self.try_until_over(&run, attempt, &log).await;
        drop(log);
        self.close(&run, attempt.number, stored, left).await;
    }

    /// Submits the run until it needs no other attempt; what is to be removed after the last.
    pub(super) async fn try_until_over(
        self: &Arc<Self>,
        run: &FlowRun,
        attempt: &Attempt,
        log: &RunLog,
    ) -> Option<Made> {
        loop {
            let (then, left) = self.try_once(run, attempt, log).await;
            if then == Then::Nothing {
                return left;
            }
            if let Some(left) = left {
                self.tidy(run, &left).await;
            }
        }
    }

    /// Waits until all that an attempt at a run said is stored, notes that, and removes what is
    /// left of the attempt: until then it has the only copy.
    pub(super) async fn close(
        &self,
        run: &FlowRun,
        attempt: u64,
        stored: JoinHandle<()>,
        left: Option<Made>,
    ) {
        // The storing task does not panic: its errors are logged.
        let _ = stored.await;
        let is_past = self.is_past(run.id, attempt);
        if let Some(left) = left {
            self.tidy(run, &left).await;
        }
        if is_past {
            return; // the next attempt has more to say
        }
        if let Err(error) = self.control_plane.close_output(run.id).await {
            // It is looked through again by the next agent.
            tracing::warn!(flow_run.id = %run.id, %error, "not noted that its output is stored");
        }
    }

    /// One attempt, and what is to be removed after it.
    async fn try_once(
        self: &Arc<Self>,
        run: &FlowRun,
        attempt: &Attempt,
        log: &RunLog,
    ) -> (Then, Option<Made>) {
        log.tell(format!("Submitting flow run '{}'", run.name));
        let runner = self.runner(run);
        match self.launch(run, &runner, attempt, log).await {
            Ok(Some((job, made))) => {
                self.set_made(run.id, attempt.number, &made);
                let since = Some(Instant::now());
                let is_kept = !end::removes_itself(&job.kind) && self.keeps_any();
                let left = (!is_kept).then(|| made.clone());
                let then = self.watch(run, runner, &made, &job, since, log).await;
                return (then, left);
            }
            Ok(None) => self.end_before_start(run, log).await,
            // Nothing is known of what the engine did; the next activation finds out.
            Err(error @ RunnerError::Away(_)) => {
                self.is_away(run, &error).await;
                log.tell(format!("{error}. The run goes on when the engine is there"));
            }
            Err(error) => self.fail(run, &error, log).await,
        }
        (Then::Nothing, None)
    }

    /// Makes and starts the process; none when the run was to end before that.
    async fn launch(
        self: &Arc<Self>,
        run: &FlowRun,
        runner: &Arc<dyn Runner>,
        attempt: &Attempt,
        log: &RunLog,
    ) -> Result<Option<(Job, Made)>, RunnerError> {
        let settings = RunnerSettings {
            key: self.key_of(run).await?,
            ..self.runner_settings()
        };
        let job = Arc::new(spec::job(run, &settings)?);
        match self.launch_job(run, runner, &job, attempt, log).await {
            Err(RunnerError::MakeAnew(_)) => self.launch_job(run, runner, &job, attempt, log).await,
            launched => launched,
        }
    }

    /// The key by which the run's process is known. A store that cannot take it now is asked again.
    async fn key_of(&self, run: &FlowRun) -> Result<Option<RunKey>, RunnerError> {
        let who = match run.infrastructure.is_container() {
            true => KeyFor::Container,
            false => KeyFor::Process,
        };
        loop {
            match self.control_plane.run_key(run.id, who).await {
                Err(error) if is_passing(error.kind()) => {
                    tracing::warn!(flow_run.id = %run.id, %error, "it has no key yet");
                    tokio::time::sleep(TELL_AGAIN).await;
                }
                made => return made.map_err(|error| RunnerError::Refused(error.to_string())),
            }
        }
    }

    async fn launch_job(
        self: &Arc<Self>,
        run: &FlowRun,
        runner: &Arc<dyn Runner>,
        job: &Arc<Job>,
        attempt: &Attempt,
        log: &RunLog,
    ) -> Result<Option<(Job, Made)>, RunnerError> {
        fault::point("before-create");
        let Some(made) = self.create(run, runner, job, attempt, log).await? else {
            return Ok(None);
        };
        fault::point("after-create");
        log.made(&made);
        log.tell(format!("Created {}", end::described(&job.kind, &made)));
        self.record(run, &made).await?;
        fault::point("after-record");
        if attempt.unwanted.is_cancelled() {
            remove_unwanted(runner.as_ref(), &made).await;
            return Ok(None);
        }
        if let Err(error) = runner.start(&made, job).await {
            if !matches!(error, RunnerError::Away(_)) {
                // What never ran leaves nothing behind; the first error is the one that counts.
                let _ = runner.remove(&made).await;
            }
            return Err(error);
        }
        fault::point("after-start");
        self.measure(run);
        log.tell(format!("Started {}", end::described(&job.kind, &made)));
        Ok(Some((Job::clone(job), made)))
    }

    /// Makes the process, which may take as long as its image is pulled. A run that is to end
    /// does not wait for that: what is made nevertheless is removed. None then.
    async fn create(
        self: &Arc<Self>,
        run: &FlowRun,
        runner: &Arc<dyn Runner>,
        job: &Arc<Job>,
        attempt: &Attempt,
        log: &RunLog,
    ) -> Result<Option<Made>, RunnerError> {
        // Taken away when nobody waits for the creation any more: the log is to be closed then.
        let teller = Arc::new(Mutex::new(Some(log.clone())));
        let told_to = Arc::clone(&teller);
        let (agent, id) = (Arc::clone(self), run.id);
        let progress = move |step: Step| {
            let Some(teller) = locked(&told_to).clone() else {
                return;
            };
            match step {
                Step::Told(message) => return teller.tell(message),
                Step::Pulling(image) => drop(agent.active().pulling.insert(id, image)),
                Step::Pulled => drop(agent.active().pulling.remove(&id)),
            }
            agent.report();
        };
        let (maker, wanted) = (Arc::clone(runner), Arc::clone(job));
        let mut making = self
            .tasks
            .spawn(async move { maker.create(&wanted, &progress).await });
        tokio::select! {
            made = &mut making => Ok(Some(made.map_err(|_| broken_off())??)),
            () = attempt.unwanted.cancelled() => {
                locked(&teller).take();
                self.active().pulling.remove(&id);
                self.report();
                let runner = Arc::clone(runner);
                self.tasks.spawn(async move {
                    if let Ok(Ok(made)) = making.await {
                        remove_unwanted(runner.as_ref(), &made).await;
                    }
                });
                Ok(None)
            }
        }
    }

    /// Measures how long the run has waited for its process. Only a first attempt tells when
    /// it was due.
    fn measure(&self, run: &FlowRun) {
        let due = run
            .statistics
            .expected_start_time
            .filter(|_| run.statistics.run_count == 0);
        if let (Some(due), Some(meters)) = (due, metrics::meters()) {
            meters.dispatched((self.control_plane.now() - due).as_secs_f64().max(0.0));
        }
    }

    /// Notes in the run's row what was made for it.
    pub(super) async fn record(&self, run: &FlowRun, made: &Made) -> Result<(), RunnerError> {
        let what = run.infrastructure.made(&made.id);
        loop {
            match self
                .control_plane
                .record_infrastructure(run.id, what.clone())
                .await
            {
                Err(error) if is_passing(error.kind()) => {
                    tracing::warn!(flow_run.id = %run.id, %error, "not recorded yet what was made");
                    tokio::time::sleep(TELL_AGAIN).await;
                }
                recorded => {
                    return recorded.map_err(|error| RunnerError::Refused(error.to_string()));
                }
            }
        }
    }

    async fn fail(&self, run: &FlowRun, error: &RunnerError, log: &RunLog) {
        log.complain(format!("Submission failed. {error}"));
        let state = end::not_submitted(error);
        match self.control_plane.end_run(run.id, state).await {
            Err(error) if error.kind() != Kind::NotFound => {
                tracing::error!(prefect.flow_run_id = %run.id, %error, "a failed submission is not recorded");
            }
            _ => {}
        }
    }

    /// Ends a run that was to end before there was a process.
    pub(super) async fn end_before_start(&self, run: &FlowRun, log: &RunLog) {
        log.tell("The run is not to run any more; nothing was started");
        let ended = self
            .control_plane
            .end_run(run.id, end::cancelled_before_start())
            .await;
        if let Err(error) = ended
            && error.kind() != Kind::NotFound
        {
            tracing::error!(prefect.flow_run_id = %run.id, %error, "its end is not recorded yet");
        }
    }

    /// From here on there is something to stop.
    pub(super) fn set_made(&self, id: FlowRunId, attempt: u64, made: &Made) {
        let mut watched = self.watched();
        let Some(known) = watched
            .get_mut(&id)
            .filter(|known| known.attempt == attempt)
        else {
            return;
        };
        known.made = Some(made.clone());
        let is_unwanted = known.unwanted.is_cancelled();
        drop(watched);
        if is_unwanted {
            // Nobody else tells that once more.
            self.control_plane.ring();
        }
    }

    /// Removes what a run that wishes so leaves behind.
    pub(super) async fn tidy(&self, run: &FlowRun, made: &Made) {
        fault::point("before-remove");
        if let Err(error) = self.runner(run).remove(made).await {
            tracing::warn!(prefect.flow_run_id = %run.id, container = %made.name, %error, "not removed");
        }
        fault::point("after-remove");
    }
}

/// Removes what was made for a run that is not to run any more, and was not started.
pub(super) async fn remove_unwanted(runner: &dyn Runner, made: &Made) {
    if let Err(error) = runner.remove(made).await {
        tracing::warn!(container = %made.name, %error, "a container that is not needed stays");
    }
}

fn locked(log: &Mutex<Option<RunLog>>) -> MutexGuard<'_, Option<RunLog>> {
    // It is set or not; it cannot be left in between.
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

fn broken_off() -> RunnerError {
    RunnerError::Refused("The agent failed while it made the run's process.".to_owned())
}

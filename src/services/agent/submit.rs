//! From a taken run to a running process.

use std::sync::Arc;
use std::time::Instant;

use tokio::task::JoinHandle;

use super::run_log::RunLog;
use super::watch::Then;
use super::{Agent, TELL_AGAIN, end, is_passing};
use crate::domain::error::Kind;
use crate::domain::flow_run::FlowRun;
use crate::fault;
use crate::metrics;
use crate::runners::{Job, Made, Runner, RunnerError, Step, spec};

impl Agent {
    /// Makes and starts the run's process and sees it to its end. A submission that fails
    /// ends the run at once, with the engine's own words.
    pub(super) async fn submit(self: &Arc<Self>, run: FlowRun, attempt: u64) {
        let (log, stored) = RunLog::open(&self.desk, &run).await;
        while self.try_once(&run, attempt, &log).await == Then::Again {}
        drop(log);
        self.close(&run, attempt, stored).await;
    }

    /// Waits until all that an attempt at a run said is stored, and notes that.
    pub(super) async fn close(&self, run: &FlowRun, attempt: u64, stored: JoinHandle<()>) {
        // The storing task does not panic: its errors are logged.
        let _ = stored.await;
        if self.is_past(run.id, attempt) {
            return; // the next attempt has more to say
        }
        if let Err(error) = self.desk.close_output(run.id).await {
            // It is looked through again by the next agent.
            tracing::warn!(flow_run.id = %run.id, %error, "not noted that its output is stored");
        }
    }

    pub(super) async fn try_once(
        self: &Arc<Self>,
        run: &FlowRun,
        attempt: u64,
        log: &RunLog,
    ) -> Then {
        log.tell(format!("Submitting flow run '{}'", run.name));
        let runner = self.runner(run);
        match self.launch(run, runner.as_ref(), log).await {
            Ok((job, made)) => {
                self.set_made(run.id, attempt, &made);
                let since = Some(Instant::now());
                let then = self.watch(run, runner, &made, &job, since, log).await;
                if end::removes_itself(&job.kind) {
                    self.tidy(run, &made).await;
                }
                return then;
            }
            // Nothing is known of what the engine did; the next activation finds out.
            Err(error @ RunnerError::Away(_)) if self.engine_is_away(&error) => {
                log.tell(format!("{error}. The run goes on when the engine is back"));
            }
            Err(error) => self.fail(run, &error, log).await,
        }
        Then::Nothing
    }

    async fn launch(
        self: &Arc<Self>,
        run: &FlowRun,
        runner: &dyn Runner,
        log: &RunLog,
    ) -> Result<(Job, Made), RunnerError> {
        let job = spec::job(run, &self.runner_settings())?;
        let (teller, agent, id) = (log.clone(), Arc::clone(self), run.id);
        let progress = move |step: Step| {
            match step {
                Step::Told(message) => return teller.tell(message),
                Step::Pulling(image) => drop(agent.active().pulling.insert(id, image)),
                Step::Pulled => drop(agent.active().pulling.remove(&id)),
            }
            agent.report();
        };
        fault::point("before-create");
        let made = runner.create(&job, &progress).await?;
        fault::point("after-create");
        log.made(&made);
        log.tell(format!("Created {}", end::described(&job.kind, &made)));
        self.record(run, &made).await?;
        fault::point("after-record");
        if let Err(error) = runner.start(&made, &job).await {
            if matches!(error, RunnerError::Refused(_)) {
                // What never ran leaves nothing behind; the first error is the one that counts.
                let _ = runner.remove(&made).await;
            }
            return Err(error);
        }
        fault::point("after-start");
        self.measure(run);
        log.tell(format!("Started {}", end::described(&job.kind, &made)));
        Ok((job, made))
    }

    /// Measures how long the run has waited for its process. Only a first attempt tells when
    /// it was due.
    fn measure(&self, run: &FlowRun) {
        let due = run
            .books
            .expected_start_time
            .filter(|_| run.books.run_count == 0);
        if let (Some(due), Some(meters)) = (due, metrics::meters()) {
            meters.dispatched((self.desk.now() - due).as_secs_f64().max(0.0));
        }
    }

    /// Notes in the run's row what was made for it.
    pub(super) async fn record(&self, run: &FlowRun, made: &Made) -> Result<(), RunnerError> {
        let what = match run.infrastructure.kind.as_deref() {
            Some("docker") => format!("docker:{}", made.id),
            _ => format!("process:{}", made.id),
        };
        loop {
            match self.desk.record_infrastructure(run.id, what.clone()).await {
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
        match self.desk.end_run(run.id, state).await {
            Err(error) if error.kind() != Kind::NotFound => {
                tracing::error!(prefect.flow_run_id = %run.id, %error, "a failed submission is not recorded");
            }
            _ => {}
        }
    }

    fn set_made(&self, id: crate::domain::ids::FlowRunId, attempt: u64, made: &Made) {
        if let Some(known) = self.watched().get_mut(&id)
            && known.attempt == attempt
        {
            known.made = Some(made.clone());
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

//! From a running process to a run that has ended.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;

use super::run_log::RunLog;
use super::{Agent, end};
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::domain::state::{ProposedState, StateType};
use crate::runners::{Exit, Made, Runner, fault};

/// How many of the last lines a crash's message quotes.
const TAIL: usize = 5;
/// How long output may still arrive after the end.
const LAST_WORDS: Duration = Duration::from_secs(10);
/// How long to wait before recording an end again that could not be recorded.
const RETRY: Duration = Duration::from_secs(1);

type Tail = Arc<Mutex<VecDeque<String>>>;

impl Agent {
    /// Keeps what the process prints, waits for its end, and ends the run if the run did
    /// not end itself.
    pub(super) async fn watch(
        &self,
        run: &FlowRun,
        runner: Arc<dyn Runner>,
        made: &Made,
        stream_output: bool,
        log: &RunLog,
    ) {
        let tail = Tail::default();
        let output = self.keep_output(run, runner.as_ref(), made, stream_output, log, &tail);
        let mut output = std::pin::pin!(output);
        let mut wait = runner.wait(made);
        let exit = tokio::select! {
            exit = &mut wait => {
                // Output that never ends must not keep the run from ending.
                let _ = tokio::time::timeout(LAST_WORDS, output).await;
                exit
            }
            () = &mut output => wait.await,
        };
        fault::point("after-exit");
        let tail: Vec<_> = tail
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .drain(..)
            .collect();
        self.settle(run.id, made, &exit, &tail, log).await;
    }

    async fn keep_output(
        &self,
        run: &FlowRun,
        runner: &dyn Runner,
        made: &Made,
        stream_output: bool,
        log: &RunLog,
        tail: &Tail,
    ) {
        let seen = self.app.output_seen(run.id).await.unwrap_or_default();
        let mut lines = runner.output(made, seen);
        while let Some(line) = lines.next().await {
            if stream_output {
                let text = &line.text;
                tracing::info!(flow_run.id = %run.id, flow_run.name = %run.name, "| {text}");
            }
            keep(tail, &line.text);
            log.output(line).await;
        }
    }

    /// Ends the run by what the engine says of its process, unless it has ended itself. Goes
    /// on trying while the store refuses: an end that is not recorded is a run that hangs.
    async fn settle(&self, id: FlowRunId, made: &Made, exit: &Exit, tail: &[String], log: &RunLog) {
        loop {
            let recorded = match self.verdict(id, made, exit, tail).await {
                Ok(Some(end)) => {
                    let message = end.message.clone().unwrap_or_default();
                    self.app.end_run(id, end).await.map(|ended| {
                        if ended {
                            log.complain(message);
                        }
                    })
                }
                Ok(None) => return,
                Err(error) => Err(error),
            };
            match recorded {
                Ok(()) => return,
                Err(error) => {
                    tracing::error!(flow_run.id = %id, %error, "the end of a run is not recorded yet");
                }
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// The state that a run ends in by the end of its process; none when it has ended.
    async fn verdict(
        &self,
        id: FlowRunId,
        made: &Made,
        exit: &Exit,
        tail: &[String],
    ) -> crate::domain::error::Result<Option<ProposedState>> {
        use crate::domain::error::Kind;
        let run = match self.app.flow_run(id).await {
            Err(gone) if gone.kind() == Kind::NotFound => return Ok(None),
            run => run?,
        };
        Ok(match run.state.map(|state| state.kind) {
            Some(kind) if kind.is_terminal() || kind == StateType::Scheduled => None,
            Some(StateType::Cancelling) => Some(end::cancelled()),
            _ => Some(end::crashed(made, exit, tail)),
        })
    }
}

/// Keeps the last few lines.
fn keep(tail: &Tail, line: &str) {
    let mut kept = tail.lock().unwrap_or_else(PoisonError::into_inner);
    kept.push_back(line.to_owned());
    if kept.len() > TAIL {
        kept.pop_front();
    }
}

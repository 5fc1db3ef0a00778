//! From a running process to a run that has ended.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt;

use tokio_util::sync::CancellationToken;

use super::meter::Meter;
use super::run_log::RunLog;
use super::stop::until_stopped;
use super::{Agent, end, is_passing};
use crate::domain::access::run_key::without_keys;
use crate::domain::error::{Kind, Result};
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::domain::log::OutputSeen;
use crate::domain::state::{ProposedState, StateType};
use crate::fault;
use crate::runners::{Exit, Job, Made, OutputLine, Runner};

/// How many of the last lines a crash's message quotes.
const TAIL: usize = 5;
/// How many letters of each of them.
const QUOTED: usize = 1000;
/// How long the run's end waits for the last lines.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How long output that does not end may be silent before it is taken to have ended.
const SILENCE: Duration = Duration::from_secs(10);
/// How long to wait before recording an end again that could not be recorded.
const RETRY: Duration = Duration::from_secs(1);

/// What is to be done for a run whose process has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Nothing: the run has ended, too, or is somebody else's.
    Nothing,
    /// It is submitted again: its process never got to execute it, because the API was away.
    Again,
}

impl Agent {
    /// Keeps what the process prints, waits for its end, and ends the run if the run did
    /// not end itself, or takes longer than it may. `since` is when the process was started;
    /// none means by an agent before this one.
    pub(super) async fn watch(
        &self,
        run: &FlowRun,
        runner: Arc<dyn Runner>,
        made: &Made,
        job: &Job,
        since: Option<Instant>,
        log: &RunLog,
    ) -> Then {
        let watch = Watch {
            agent: self,
            run,
            runner: runner.as_ref(),
            made,
            stream_output: job.stream_output,
            log,
            tail: Mutex::default(),
            lines: AtomicU64::new(0),
            over: CancellationToken::new(),
        };
        let limit = self.enforce_time_limit(run, &runner, made, job.time_limit, log);
        let mut output = std::pin::pin!(watch.keep_output());
        let exit = tokio::select! {
            exit = runner.wait(made) => exit,
            () = async { output.as_mut().await; std::future::pending().await } => return Then::Nothing,
            never = limit => match never {},
        };
        watch.over.cancel();
        let is_kept = tokio::time::timeout(LAST_WORDS, output.as_mut())
            .await
            .is_ok();
        fault::point("after-exit");
        let tail: Vec<_> = watch.tail().drain(..).collect();
        if exit.node_lost.is_some() {
            self.give_up(run, &runner, made, job).await;
        }
        let end = End {
            made,
            exit: &exit,
            tail: &tail,
            api_was_away: self.control_plane.was_away(since),
            resubmits: job.resubmits_on_loss(),
        };
        let then = self.settle(run, &end, log).await;
        if exit.node_lost.is_some() {
            self.sweep(run, made);
        }
        if !is_kept {
            watch.drain(output).await;
        }
        then
    }

    /// Ends the run by what the engine says of its process, unless it has ended itself. Goes
    /// on trying while the store refuses: an end that is not recorded is a run that hangs.
    async fn settle(&self, watched: &FlowRun, end: &End<'_>, log: &RunLog) -> Then {
        let id = watched.id;
        loop {
            let recorded = match self.verdict(watched, end).await {
                Ok(EndDecision::End(state)) => {
                    if state.kind == StateType::Cancelled {
                        self.sweep(watched, end.made);
                    }
                    let message = state.message.clone().unwrap_or_default();
                    fault::point("before-end");
                    self.control_plane.end_run(id, *state).await.map(|ended| {
                        if ended {
                            fault::point("after-end");
                            log.note(message);
                        }
                    })
                }
                Ok(EndDecision::Again) => {
                    log.tell("The API was away before the run began; submitting it again");
                    return Then::Again;
                }
                Ok(EndDecision::Nothing) => {
                    log.close();
                    return Then::Nothing;
                }
                Err(error) => Err(error),
            };
            match recorded {
                Ok(()) => return Then::Nothing,
                Err(error) => {
                    tracing::error!(prefect.flow_run_id = %id, %error, "the end of a run is not recorded yet");
                }
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Has a process that nobody sees any more speak for its run no more, wherever it goes on. One
    /// whose run is submitted again is ended before that, as soon as it is seen again.
    async fn give_up(&self, run: &FlowRun, runner: &Arc<dyn Runner>, made: &Made, job: &Job) {
        loop {
            match self.control_plane.revoke_run_keys(run.id).await {
                Err(error) if is_passing(error.kind()) => {
                    tracing::error!(prefect.flow_run_id = %run.id, %error, "its key is not taken back yet");
                    tokio::time::sleep(RETRY).await;
                }
                // A run that is gone has none.
                _ => break,
            }
        }
        if job.resubmits_on_loss() {
            until_stopped(runner.as_ref(), made, self.settings().stop_grace).await;
        }
    }

    /// Has what a cancelled run's process left behind stopped, too.
    fn sweep(&self, run: &FlowRun, made: &Made) {
        let (runner, made) = (self.runner(run), made.clone());
        let grace = self.settings().stop_grace;
        self.tasks.spawn(async move {
            if let Err(error) = runner.stop(&made, grace).await {
                tracing::warn!(container = %made.name, %error, "what a cancelled run left goes on");
            }
        });
    }

    /// What the end of its process means for the run.
    async fn verdict(&self, watched: &FlowRun, end: &End<'_>) -> Result<EndDecision> {
        let run = match self.control_plane.flow_run(watched.id).await {
            Err(gone) if gone.kind() == Kind::NotFound => return Ok(EndDecision::Nothing),
            run => run?,
        };
        if self.is_taken_anew(watched, &run, end.made) {
            return Ok(EndDecision::Nothing);
        }
        Ok(match run.state.map(|state| state.kind) {
            Some(kind) if kind.is_terminal() || kind == StateType::Scheduled => {
                EndDecision::Nothing
            }
            Some(StateType::Cancelling) => EndDecision::of(end::cancelled()),
            _ if self.is_stopping(watched.id) => EndDecision::of(end::cancelled()),
            _ if end.resubmits && end.exit.node_lost.is_some() => {
                EndDecision::of(end::resubmitted(end.exit, self.control_plane.now()))
            }
            Some(StateType::Pending) if end.api_was_away && end.gave_up() => EndDecision::Again,
            Some(StateType::Pending) => {
                EndDecision::of(end::never_began(end.made, end.exit, end.tail))
            }
            _ => EndDecision::of(end::crashed(end.made, end.exit, end.tail)),
        })
    }

    /// Whether this agent stops the run's process by somebody's wish.
    fn is_stopping(&self, id: FlowRunId) -> bool {
        self.watched().get(&id).is_some_and(|known| known.stopping)
    }

    /// Whether what was made is not what the run is executed by now: it was scheduled and
    /// taken again while its process was still ending.
    fn is_taken_anew(&self, before: &FlowRun, now: &FlowRun, made: &Made) -> bool {
        // A control plane elsewhere does not tell of claims.
        let claims = before.claim.as_ref().zip(now.claim.as_ref());
        let watched = self.watched();
        claims.is_some_and(|(before, now)| before.at != now.at)
            || watched
                .get(&now.id)
                .is_some_and(|known| known.made.as_ref() != Some(made))
    }
}

/// How a process ended.
struct End<'a> {
    made: &'a Made,
    exit: &'a Exit,
    tail: &'a [String],
    /// Whether the API may have been out of its reach while it lived.
    api_was_away: bool,
    /// Whether the run is submitted again where its node is lost.
    resubmits: bool,
}

impl End<'_> {
    /// Whether it ended by itself and in failure; a signal is somebody else's doing.
    fn gave_up(&self) -> bool {
        self.exit.code.is_some_and(|code| (1..128).contains(&code))
    }
}

enum EndDecision {
    /// It has ended, or is not this agent's any more.
    Nothing,
    /// It ends in this state.
    End(Box<ProposedState>),
    /// It is submitted again.
    Again,
}

impl EndDecision {
    fn of(end: ProposedState) -> Self {
        Self::End(Box::new(end))
    }
}

/// One process under watch.
struct Watch<'a> {
    agent: &'a Agent,
    run: &'a FlowRun,
    runner: &'a dyn Runner,
    made: &'a Made,
    stream_output: bool,
    log: &'a RunLog,
    /// The last few lines.
    tail: Mutex<VecDeque<String>>,
    /// How many lines came.
    lines: AtomicU64,
    /// Cancelled once the process has ended.
    over: CancellationToken,
}

impl Watch<'_> {
    /// Goes on storing for as long as lines come.
    async fn drain(&self, mut output: Pin<&mut impl Future<Output = ()>>) {
        loop {
            let before = self.lines.load(Ordering::Relaxed);
            let rest = tokio::time::timeout(SILENCE, output.as_mut()).await;
            if rest.is_ok() {
                return;
            }
            if self.lines.load(Ordering::Relaxed) == before {
                let id = &self.run.id;
                tracing::warn!(flow_run.id = %id, "its process is gone, and its output does not end");
                return;
            }
        }
    }

    /// Stores what is printed until it is over. An engine that hangs up is listened to again,
    /// from where it left off.
    async fn keep_output(&self) {
        let mut seen = self.seen().await;
        let mut meter = Meter::new(self.agent.settings().output);
        loop {
            let was_over = self.over.is_cancelled();
            let mut lines = self.runner.output(self.made, seen);
            while let Some(line) = lines.next().await {
                seen.count(line.timestamp);
                self.keep(line, &mut meter).await;
            }
            if was_over {
                break;
            }
            tokio::select! {
                () = self.over.cancelled() => {}
                () = tokio::time::sleep(RETRY) => {}
            }
        }
        if let Some(told) = meter.dropped() {
            self.log.complain(told);
        }
    }

    /// How much of it is stored: asked until there is an answer, or lines would be stored twice.
    async fn seen(&self) -> OutputSeen {
        loop {
            match self.agent.control_plane.output_seen(self.run.id).await {
                Err(error) if is_passing(error.kind()) => tokio::time::sleep(RETRY).await,
                seen => return seen.unwrap_or_default(),
            }
        }
    }

    async fn keep(&self, mut line: OutputLine, meter: &mut Meter) {
        if let Some(text) = without_keys(&line.text) {
            line.text = text;
        }
        self.remember(&line.text);
        self.lines.fetch_add(1, Ordering::Relaxed);
        if !meter.keeps(line.timestamp, &line.text) {
            return;
        }
        if self.stream_output {
            self.log.print(&line.text);
        }
        self.log.output(line).await;
        fault::point("after-output");
    }

    fn remember(&self, line: &str) {
        let mut quoted: String = line.chars().take(QUOTED).collect();
        if quoted.len() < line.len() {
            quoted.push('…');
        }
        let mut tail = self.tail();
        tail.push_back(quoted);
        if tail.len() > TAIL {
            tail.pop_front();
        }
    }

    fn tail(&self) -> std::sync::MutexGuard<'_, VecDeque<String>> {
        // Each change leaves it whole.
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

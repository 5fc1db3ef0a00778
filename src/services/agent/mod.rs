//! The agent: takes runs that are due, has a runner make their processes, and sees each to
//! its end.
//!
//! It sleeps until the next run is due or the app rings its bell; a slow poll is the safety
//! net. Every activation looks at the whole: runs that it holds and does not watch are
//! adopted (`adopt.rs`), runs that were asked to stop are stopped, and free slots are filled.
//! Start-up, recovery and normal operation are therefore the same code.

mod adopt;
mod cancel;
mod clean;
mod control_plane;
mod end;
mod engine;
mod meter;
mod run_log;
mod stop;
mod submit;
mod supervise;
#[cfg(test)]
mod tests;
mod time_limit;
mod watch;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;

use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::domain::agent::{AgentReport, AgentSettings, Identity};
use crate::domain::container::ContainerRules;
use crate::domain::error::{Kind, Result};
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::domain::time::Timestamp;
use crate::fault;
use crate::runners::{Made, Runner, RunnerSettings};

pub use control_plane::{ControlPlane, ControlPlaneFuture, KeyFor, LocalControlPlane};
use engine::EngineTrouble;

/// How soon to look again at what was left to other agents.
const SHARED_POLL_INTERVAL: Duration = Duration::from_millis(200);

/// The runners that an agent uses.
#[derive(Clone)]
pub struct Runners {
    /// For containers; the error is told to every run that needs one.
    pub containers: Arc<dyn Runner>,
    /// For processes of this machine.
    pub processes: Arc<dyn Runner>,
}

/// What the agent did last.
#[derive(Clone, Debug, Default)]
struct Activity {
    last_activation: Option<Timestamp>,
    last_error: Option<String>,
    engine_trouble: Option<EngineTrouble>,
    pulling: BTreeMap<FlowRunId, String>,
    /// Whether something is due that was left to other agents, though there is a slot.
    left_to_others: bool,
}

/// How long to wait before telling the control plane again what it could not take.
const TELL_AGAIN: Duration = Duration::from_secs(1);

/// Whether what failed so may go well another time: the store is full, or too busy.
fn is_passing(kind: Kind) -> bool {
    matches!(kind, Kind::Unavailable | Kind::StorageFull)
}

/// Whether a run has ended; what is left of it is its output.
fn has_ended(run: &FlowRun) -> bool {
    run.state
        .as_ref()
        .is_some_and(|state| state.kind.is_terminal())
}

/// An agent; it is shared by the tasks that it starts.
pub struct Agent {
    control_plane: Arc<dyn ControlPlane>,
    runners: Runners,
    runner_settings: RwLock<RunnerSettings>,
    identity: Identity,
    settings: RwLock<AgentSettings>,
    watched: Mutex<HashMap<FlowRunId, Watched>>,
    activity: Mutex<Activity>,
    /// How often looking after a run failed in a way that was not foreseen.
    failures: Mutex<HashMap<FlowRunId, u32>>,
    tasks: TaskTracker,
}

/// A run that a task of this agent looks after.
#[derive(Clone, Debug)]
struct Watched {
    /// Tells apart two attempts at one run.
    attempt: u64,
    /// What was made for it, once it was.
    made: Option<Made>,
    /// Whether it was asked to stop.
    stopping: bool,
    /// Cancelled once the run is to end, though nothing may have been made for it.
    unwanted: CancellationToken,
    /// Cancelled once nobody looks after this attempt any more.
    over: CancellationToken,
}

/// One attempt at a run, as the task knows it that looks after it.
struct Attempt {
    number: u64,
    /// Cancelled once the run is to end.
    unwanted: CancellationToken,
    /// An earlier attempt at the same run, whose process may live yet.
    before: Option<CancellationToken>,
    /// Lets the next attempt begin, however this one ends.
    _over: DropGuard,
}

impl Attempt {
    /// Waits until an earlier attempt's process is gone: two of them would be taken for each
    /// other.
    async fn turn(&self) {
        if let Some(before) = &self.before {
            before.cancelled().await;
        }
    }
}

impl Agent {
    /// An agent at rest.
    pub fn new(
        control_plane: Arc<dyn ControlPlane>,
        runners: Runners,
        runner_settings: RunnerSettings,
        identity: Identity,
        settings: AgentSettings,
    ) -> Arc<Self> {
        Arc::new(Self {
            control_plane,
            runners,
            runner_settings: RwLock::new(runner_settings),
            identity,
            settings: RwLock::new(settings),
            watched: Mutex::default(),
            activity: Mutex::default(),
            failures: Mutex::default(),
            tasks: TaskTracker::new(),
        })
    }

    /// Works by other settings from here on; what is under way goes on by the old ones.
    pub fn reconfigure(&self, settings: AgentSettings, python: String, containers: ContainerRules) {
        *write(&self.settings) = settings;
        let mut runners = write(&self.runner_settings);
        runners.python = python;
        runners.containers = containers;
        drop(runners);
        // There may be more slots.
        self.control_plane.ring();
    }

    fn settings(&self) -> AgentSettings {
        read(&self.settings)
    }

    fn runner_settings(&self) -> RunnerSettings {
        read(&self.runner_settings)
    }

    /// Works until `stop`. Runs go on without it, and the next daemon takes up what was
    /// under way, submissions included.
    pub async fn work(self: Arc<Self>, stop: CancellationToken) {
        self.report();
        self.meet_engine().await;
        let clean = Arc::clone(&self).keep_clean(stop.clone());
        self.tasks.spawn(clean);
        while !stop.is_cancelled() {
            let outcome = self.activate_supervised().await;
            self.note(&outcome);
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.control_plane.rung() => {}
                () = self.until_due() => {}
            }
        }
        self.tasks.close();
    }

    /// Looks at everything once and does what is to be done.
    pub async fn activate(self: &Arc<Self>) -> Result<()> {
        let held = self.control_plane.held_runs().await?;
        let adopted = self.adopt(&held).await;
        self.stop_cancelled(&held).await?;
        let engine = self.engine().await;
        let used = held.iter().filter(|run| !has_ended(run)).count() as u64;
        let free = self.settings().slots.saturating_sub(used);
        if free > 0 {
            fault::point("before-claim");
            let containers = engine.is_ok() || self.refuses_containers();
            let taken = self.control_plane.claim_due_runs(containers, free).await?;
            // What is still due goes to another agent, or comes back here.
            self.active().left_to_others = (taken.len() as u64) < free;
            if !taken.is_empty() {
                fault::point("after-claim");
            }
            for run in taken {
                self.begin(run);
            }
        }
        adopted.and(engine)
    }

    /// Starts the task that sees a run from its submission to its end.
    fn begin(self: &Arc<Self>, run: FlowRun) {
        let attempt = self.enter(run.id);
        let agent = Arc::clone(self);
        self.look_after(run.id, attempt, move |attempt| async move {
            attempt.turn().await;
            agent.submit(run, &attempt).await;
        });
    }

    fn enter(&self, id: FlowRunId) -> Attempt {
        let mut watched = self.watched();
        let before = watched.get(&id);
        let attempt = before.map_or(0, |known| known.attempt + 1);
        let before = before.map(|known| known.over.clone());
        let fresh = Watched {
            attempt,
            made: None,
            stopping: false,
            unwanted: CancellationToken::new(),
            over: CancellationToken::new(),
        };
        let over = fresh.over.clone().drop_guard();
        let unwanted = fresh.unwanted.clone();
        watched.insert(id, fresh);
        Attempt {
            number: attempt,
            unwanted,
            before,
            _over: over,
        }
    }

    /// Whether runs in containers fail at once, since no container could reach the API.
    fn refuses_containers(&self) -> bool {
        self.runner_settings().container_api_url.is_none()
    }

    /// Whether the run was taken anew since `attempt`.
    fn is_past(&self, id: FlowRunId, attempt: u64) -> bool {
        let watched = self.watched();
        watched
            .get(&id)
            .is_some_and(|known| known.attempt != attempt)
    }

    fn leave(&self, id: FlowRunId, attempt: u64) {
        let mut watched = self.watched();
        if watched
            .get(&id)
            .is_some_and(|known| known.attempt == attempt)
        {
            watched.remove(&id);
        }
        drop(watched);
        // A slot is free.
        self.control_plane.ring();
    }

    fn watched(&self) -> std::sync::MutexGuard<'_, HashMap<FlowRunId, Watched>> {
        // Each change of the map is one call; it is never left half-done.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The runner for a run's infrastructure.
    fn runner(&self, run: &FlowRun) -> Arc<dyn Runner> {
        if run.infrastructure.is_container() {
            Arc::clone(&self.runners.containers)
        } else {
            Arc::clone(&self.runners.processes)
        }
    }

    /// Sleeps until the next run is due, or the poll comes round.
    async fn until_due(&self) {
        let due = self.control_plane.due_in().await.ok().flatten();
        let poll = self.settings().poll;
        let sleep = match due {
            // The engine's return is told by nobody.
            _ if self.is_engine_away() => self.ask_engine_again_in().min(poll),
            // What is due and was not taken waits for a slot, which the bell tells, or was
            // left to another agent.
            Some(Duration::ZERO) if self.active().left_to_others => SHARED_POLL_INTERVAL.min(poll),
            Some(Duration::ZERO) | None => poll,
            Some(left) => left.min(poll),
        };
        tokio::time::sleep(sleep).await;
    }

    /// Remembers how an activation went; the same trouble is logged once.
    fn note(&self, outcome: &Result<()>) {
        let error = outcome.as_ref().err().map(ToString::to_string);
        let mut activity = self.active();
        if error != activity.last_error {
            match &error {
                Some(error) => tracing::warn!(%error, "the agent cannot do all it should"),
                None => tracing::info!("the agent works again"),
            }
        }
        activity.last_activation = Some(self.control_plane.now());
        activity.last_error = error;
        drop(activity);
        self.report();
    }

    /// Tells the control plane how things stand.
    fn report(&self) {
        let activity = self.active().clone();
        self.control_plane.report(AgentReport {
            identity: self.identity.id.clone(),
            host: self.identity.host.clone(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            slots: self.settings().slots,
            last_activation: activity.last_activation,
            last_error: activity.last_error,
            engine_trouble: activity.engine_trouble.map(|trouble| trouble.told),
            pulling: activity.pulling,
        });
    }

    fn active(&self) -> std::sync::MutexGuard<'_, Activity> {
        // Each change leaves it whole.
        self.activity.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// Each change of either settings leaves them whole.

fn read<T: Clone>(lock: &RwLock<T>) -> T {
    lock.read().unwrap_or_else(PoisonError::into_inner).clone()
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

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
mod end;
mod engine;
mod meter;
mod run_log;
mod submit;
mod time_limit;
mod watch;

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::App;
use crate::domain::error::Result;
use crate::domain::flow_run::FlowRun;
use crate::domain::ids::FlowRunId;
use crate::domain::time::Timestamp;
use crate::runners::{Made, Runner, RunnerSettings, fault};

pub use clean::Keep;
pub use meter::OutputLimits;

/// How an agent works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentSettings {
    /// Its name; runs that it takes carry it.
    pub name: String,
    /// The most runs that it holds at once.
    pub slots: u64,
    /// The safety net: how long it sleeps at most.
    pub poll: Duration,
    /// How long a run that is asked to stop has before it is killed.
    pub stop_grace: Duration,
    /// How long any run may take.
    pub time_limit: Option<Duration>,
    /// How much of what a run prints is kept.
    pub output: OutputLimits,
    /// Which containers are kept after their end.
    pub keep: Keep,
}

/// The runners that an agent uses.
#[derive(Clone)]
pub struct Runners {
    /// For containers; the error is told to every run that needs one.
    pub containers: Arc<dyn Runner>,
    /// For processes of this machine.
    pub processes: Arc<dyn Runner>,
}

/// What the agent did last, for whoever asks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Activity {
    /// When it last looked for work.
    pub last_activation: Option<Timestamp>,
    /// What went wrong then, if anything did.
    pub last_error: Option<String>,
    /// Why there is no engine for containers, while there is none.
    pub engine_trouble: Option<String>,
    /// The images that runs wait for.
    pub pulling: HashMap<FlowRunId, String>,
}

/// An agent; it is shared by the tasks that it starts.
pub struct Agent {
    app: App,
    runners: Runners,
    runner_settings: RunnerSettings,
    settings: AgentSettings,
    watched: Mutex<HashMap<FlowRunId, Watched>>,
    activity: Arc<Mutex<Activity>>,
    /// Whether the engine ever answered: one that never did is not waited for.
    engine_seen: AtomicBool,
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
}

impl Agent {
    /// An agent at rest.
    pub fn new(
        app: App,
        runners: Runners,
        runner_settings: RunnerSettings,
        settings: AgentSettings,
    ) -> Arc<Self> {
        Arc::new(Self {
            app,
            runners,
            runner_settings,
            settings,
            watched: Mutex::default(),
            activity: Arc::default(),
            engine_seen: AtomicBool::new(false),
            tasks: TaskTracker::new(),
        })
    }

    /// What it did last; the handle stays true while it works.
    pub fn activity(&self) -> Arc<Mutex<Activity>> {
        Arc::clone(&self.activity)
    }

    /// Works until `stop`. Runs go on without it, and the next daemon takes up what was
    /// under way, submissions included.
    pub async fn work(self: Arc<Self>, stop: CancellationToken) {
        let bell = self.app.agent_bell();
        self.meet_engine().await;
        self.tasks.spawn(Arc::clone(&self).keep_clean(stop.clone()));
        while !stop.is_cancelled() {
            let outcome = self.activate().await;
            self.note(&outcome);
            tokio::select! {
                () = stop.cancelled() => {}
                () = bell.rung() => {}
                () = self.until_due() => {}
            }
        }
        self.tasks.close();
    }

    /// Looks at everything once and does what is to be done.
    pub async fn activate(self: &Arc<Self>) -> Result<()> {
        let held = self.app.claimed_runs(&self.settings.name).await?;
        let adopted = self.adopt(&held).await;
        self.stop_cancelled(&held).await?;
        let engine = self.engine().await;
        let used = held.len() as u64;
        let free = self.settings.slots.saturating_sub(used);
        if free > 0 {
            let name = &self.settings.name;
            let taken = self.app.claim_due_runs(name, engine.is_ok(), free).await?;
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
        self.tasks.spawn(async move {
            agent.submit(run.clone(), attempt).await;
            agent.leave(run.id, attempt);
        });
    }

    fn enter(&self, id: FlowRunId) -> u64 {
        let mut watched = self.watched();
        let attempt = watched.get(&id).map_or(0, |known| known.attempt + 1);
        let fresh = Watched {
            attempt,
            made: None,
            stopping: false,
        };
        watched.insert(id, fresh);
        attempt
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
        self.app.agent_bell().ring();
    }

    fn watched(&self) -> std::sync::MutexGuard<'_, HashMap<FlowRunId, Watched>> {
        // Each change of the map is one call; it is never left half-done.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The runner for a run's infrastructure.
    fn runner(&self, run: &FlowRun) -> Arc<dyn Runner> {
        match run.infrastructure.kind.as_deref() {
            Some("docker") => Arc::clone(&self.runners.containers),
            _ => Arc::clone(&self.runners.processes),
        }
    }

    /// Sleeps until the next run is due, or the poll comes round.
    async fn until_due(&self) {
        let due = self.app.next_due().await.ok().flatten();
        let left = due.map(|due| (due - self.app.now()).micros());
        // What is due already and was not taken waits for a slot, which the bell tells, or for
        // the engine, which tells nobody.
        let sleep = match left {
            _ if self.is_engine_away() => engine::ASK_AGAIN.min(self.settings.poll),
            Some(left @ 1..) => Duration::from_micros(left.unsigned_abs()).min(self.settings.poll),
            _ => self.settings.poll,
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
        activity.last_activation = Some(self.app.now());
        activity.last_error = error;
    }

    fn active(&self) -> std::sync::MutexGuard<'_, Activity> {
        // Each change leaves it whole.
        self.activity.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! What the daemon can do, a verb at a time.
//!
//! Handlers and services share these verbs, so there is one road to every change: read
//! facts, ask the domain, write, all in one transaction of the writer; then ring the bell
//! of whoever should look, which the writer does, so that no caller who leaves takes it along.
//! No verb starts or stops a process: it records the wish, and the
//! agent makes the world agree.

mod agents;
mod announce;
mod backup;
mod bell;
mod budget;
mod deployments;
mod documents;
mod examine;
mod flow_runs;
mod flows;
mod health;
mod history;
mod ids;
mod logs;
mod once;
mod propose_state;
mod removal;
mod retention;
mod roster;
mod saved_searches;
mod schedules;
mod standing;
mod task_runs;
#[cfg(test)]
pub mod testing;
mod vitals;
mod why;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::SharedClock;
use crate::domain::error::Result;
use crate::domain::time::Timestamp;
use crate::storage::blobs::Blobs;
use crate::storage::{Connection, Store};

pub use backup::Pieces;
pub use bell::{Bell, Listener};
pub use once::{RequestKey, under};
pub use propose_state::{Decision, Force, Outcome};
pub use retention::Slice;
pub use schedules::{LATE_AFTER, Outlook, RUNS_AHEAD, Range, TIME_AHEAD};
pub use vitals::{AgentVitals, Vitals};

/// How many schedules' dates are looked for at once.
const AT_ONCE: usize = 2;

/// The verbs' handle on the store and the clock; clones share both.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    blobs: Blobs,
    clock: SharedClock,
    agent_bell: Bell,
    roster: roster::Roster,
    lease: Duration,
    schedules: schedules::Memory,
    thinking: tokio::sync::Semaphore,
    counted: tokio::sync::Mutex<vitals::Counted>,
}

impl App {
    /// Over an opened store, its documents, and a clock. An agent that has not reported for
    /// as long as `lease` is taken for dead.
    pub fn new(store: Store, blobs: Blobs, clock: SharedClock, lease: Duration) -> Self {
        Self {
            inner: Arc::new(Inner {
                store,
                blobs,
                clock,
                agent_bell: Bell::default(),
                roster: roster::Roster::default(),
                lease,
                schedules: schedules::Memory::default(),
                thinking: tokio::sync::Semaphore::new(AT_ONCE),
                counted: tokio::sync::Mutex::default(),
            }),
        }
    }

    /// The present moment, by the app's clock.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Rung whenever a run may have become due, ended, or been asked to stop.
    pub fn agent_bell(&self) -> Bell {
        self.inner.agent_bell.clone()
    }

    /// One transaction of the writer, with the moment at which it runs.
    async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, Timestamp) -> Result<T> + Send + 'static,
    {
        let clock = Arc::clone(&self.inner.clock);
        self.inner
            .store
            .write(move |db| work(db, clock.now()))
            .await
    }

    /// The same for work that holds about so many `bytes` while it waits, and that entails
    /// something. `then` is carried out after the commit and before this answers, whether or
    /// not the caller is still there: whoever should look is always told.
    async fn write_then<T, F, E>(&self, bytes: usize, work: F, then: E) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, Timestamp) -> Result<T> + Send + 'static,
        E: FnOnce(&T) + Send + 'static,
    {
        let clock = Arc::clone(&self.inner.clock);
        self.inner
            .store
            .write_then(bytes, move |db| work(db, clock.now()), then)
            .await
    }

    /// What has the agents look once something is committed, if it is to concern them.
    fn ring_if<T>(
        &self,
        concerns: impl FnOnce(&T) -> bool + Send + 'static,
    ) -> impl FnOnce(&T) + Send + 'static {
        let bell = self.agent_bell();
        move |done| {
            if concerns(done) {
                bell.ring();
            }
        }
    }

    /// One statement that looks something up by key.
    async fn look_up<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.inner.store.look_up(work).await
    }

    /// One snapshot of a reader, for a question that a caller puts together.
    async fn scan<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.inner.store.scan(work).await
    }

    /// One snapshot of a reader, for what is short.
    async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.inner.store.read(work).await
    }
}

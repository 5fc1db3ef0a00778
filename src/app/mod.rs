//! What the daemon can do, a verb at a time.
//!
//! Handlers and services share these verbs, so there is one road to every change: read
//! facts, ask the domain, write, all in one transaction of the writer; then ring the bell
//! of whoever should look. No verb starts or stops a process: it records the wish, and the
//! agent makes the world agree.

mod agents;
mod announce;
mod backup;
mod bell;
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
pub use schedules::{LATE_AFTER, RUNS_AHEAD, Range, TIME_AHEAD};
pub use vitals::{AgentVitals, Vitals};

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

    /// One statement that looks something up by key.
    async fn look_up<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.inner.store.look_up(work).await
    }

    /// One snapshot of a reader.
    async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.inner.store.read(work).await
    }
}

//! What the daemon can do, a verb at a time.
//!
//! Handlers and services share these verbs, so there is one road to every change: read
//! facts, ask the domain, write, all in one transaction of the writer (`tx::Tx`); then what
//! that entails is carried out, such as waking the agents, by the writer, so that no caller who
//! leaves takes it along. No verb starts or stops a process: it records the wish, and the
//! agent makes the world agree.
//!
//! The verbs are sorted by area: `deployments` with flows and schedules, `runs` with states and
//! logs, `blocks`, `limits` with leases on their slots, `events` with who listens to them,
//! `automations`, which act on them, `tasks` of the background, `work` for agents and for pools with their queues and workers,
//! and `admin` for what is done to the whole.

mod admin;
mod automations;
mod bell;
mod blocks;
mod budget;
mod deployments;
mod events;
mod limits;
mod request;
mod runs;
mod tasks;
#[cfg(test)]
pub mod testing;
mod tx;
mod work;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::Either;

use crate::clock::SharedClock;
use crate::domain::error::Result;
use crate::domain::filter::Filters;
use crate::domain::time::Timestamp;
use crate::outgoing::Outgoing;
use crate::storage::blobs::Blobs;
use crate::storage::seal::Seal;
use crate::storage::{Connection, Store, rows};

pub use admin::backup::Pieces;
pub use admin::retention::Slice;
pub use admin::tokens::TokenUse;
pub use admin::vitals::{AgentVitals, Vitals};
pub use bell::{Bell, Listener};
pub use deployments::flow::Force;
pub use deployments::schedules::{LATE_AFTER, MODERN_LATE_AFTER, Outlook, Range, TIME_AHEAD};
pub use events::{Cursor, EventPage, Subscription};
pub use limits::{Asked, Granted, Held, Holder, LimitKey, LimitNow, Mode, Taken};
pub use request::{RequestKey, under};
pub use runs::log_feed::LogSubscription;
pub use runs::propose_state::{Decision, Outcome};
pub use runs::resume::Resumed;
pub use tasks::{TaskServer, TaskService};
pub use work::channel::{ConnectedWorker, WorkerHello};
pub use work::queues::QueueName;
pub use work::scheduled::{Scheduled, ScheduledAsked};
pub use work::slots::{PoolSlots, QueueSlots};
pub use work::variables::VariableKey;
pub use work::workers::WorkersAsked;

/// How many schedules' dates are looked for at once.
const AT_ONCE: usize = 2;

/// What counts.
type Counting = Box<dyn Fn(&Connection) -> Result<u64> + Send>;

/// The verbs' handle on the store and the clock; clones share both.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    blobs: Blobs,
    shared: Arc<tx::Shared>,
    task_servers: tasks::Servers,
    agents: work::registry::Registry,
    lease: Duration,
    schedules: deployments::schedules::Memory,
    planning: tokio::sync::Semaphore,
    counted: tokio::sync::Mutex<admin::vitals::Counted>,
    /// What seals the secrets of blocks, once it was needed.
    seal: OnceLock<Arc<Seal>>,
    outgoing: Outgoing,
}

impl App {
    /// Over an opened store, its documents, and a clock. An agent that has not reported for
    /// as long as `lease` is taken for dead.
    pub fn new(store: Store, blobs: Blobs, clock: SharedClock, lease: Duration) -> Self {
        Self {
            inner: Arc::new(Inner {
                store,
                blobs,
                shared: Arc::new(tx::Shared::with(clock)),
                task_servers: tasks::Servers::default(),
                agents: work::registry::Registry::default(),
                lease,
                schedules: deployments::schedules::Memory::default(),
                planning: tokio::sync::Semaphore::new(AT_ONCE),
                counted: tokio::sync::Mutex::default(),
                seal: OnceLock::new(),
                outgoing: Outgoing::default(),
            }),
        }
    }

    /// The present moment, by the app's clock.
    pub fn now(&self) -> Timestamp {
        self.inner.shared.clock.now()
    }

    /// Rung whenever a run may have become due, ended, or been asked to stop.
    pub fn agent_bell(&self) -> Bell {
        self.inner.shared.agents.clone()
    }

    /// Rung whenever a flow run has gone on, or something was said in one.
    pub fn news_bell(&self) -> Bell {
        self.inner.shared.news.clone()
    }

    /// Rung whenever something ends at a time that may come before all others, or a run was
    /// cancelled whose sub-flows are to be.
    pub fn deadline_bell(&self) -> Bell {
        self.inner.shared.deadlines.clone()
    }

    /// What messages to services elsewhere go by.
    fn outgoing(&self) -> &Outgoing {
        &self.inner.outgoing
    }

    /// Rung whenever an automation has something to do.
    pub fn action_bell(&self) -> Bell {
        self.inner.shared.automations.actions.clone()
    }

    /// Rung whenever a trigger waits for a time that may come before all others.
    pub fn trigger_bell(&self) -> Bell {
        self.inner.shared.automations.windows.clone()
    }

    /// One statement that looks something up by key.
    fn by_key<T, F>(&self, work: F) -> impl Future<Output = Result<T>> + Send
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.inner.store.by_key(work)
    }

    /// One snapshot of a reader, for a question that a caller puts together.
    fn scan<T, F>(&self, work: F) -> impl Future<Output = Result<T>> + Send
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Result<T> + Send + 'static,
    {
        self.inner.store.scan(work)
    }

    /// One statement that a caller puts together.
    fn find<T, F>(&self, work: F) -> impl Future<Output = Result<T>> + Send
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Result<T> + Send + 'static,
    {
        self.inner.store.find(work)
    }

    /// How many a question finds: by what is counted, or by one statement. Without any question
    /// SQLite goes through an index in one step, which takes too long to be tried where it is asked.
    /// The question is taken apart before anything is awaited: so no future has room for it.
    fn count<R: rows::Filtered>(
        &self,
        filters: Filters,
    ) -> impl Future<Output = Result<u64>> + Send + use<'_, R> {
        let asked = rows::counts::countable::<R>(&filters);
        let is_tried = asked.is_none() && !filters.is_of_all(R::NOUN);
        let work: Counting = match asked {
            Some(asked) => Box::new(move |db| asked.count::<R>(db)),
            None => Box::new(move |db| rows::count::<R>(db, &filters)),
        };
        match is_tried {
            true => Either::Left(self.find(work)),
            false => Either::Right(self.scan(work)),
        }
    }

    /// One snapshot of a reader, for what is short.
    fn read<T, F>(&self, work: F) -> impl Future<Output = Result<T>> + Send
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.inner.store.read(work)
    }
}

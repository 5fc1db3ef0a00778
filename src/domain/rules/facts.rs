//! What the rules look at.

use crate::domain::flow_run_policy::FlowRunPolicy;
use crate::domain::ids::LeaseId;
use crate::domain::state::{State, StateType};
use crate::domain::task_run::RetryPolicy;
use crate::domain::time::{Span, Timestamp};

/// What the rules look at, read in the transaction that will write the ruling. What only one
/// kind of run has is as by default on the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    /// Where the run stands; absent for its first state.
    pub current: Option<&'a State>,
    /// How often it entered a running state.
    pub run_count: i64,
    /// What the client that proposes is known to do.
    pub client: Client,
    /// A flow run's: whether it came from a deployment, so that agents compete for it.
    pub is_deployed: bool,
    /// A flow run's: whether one of prefectd's own agents took it, so that there may be a
    /// process.
    pub is_held: bool,
    /// A flow run's: the worker of its pool that took it last.
    pub taken_by: Option<&'a str>,
    /// A flow run's: whether somebody told what was made for it.
    pub has_infrastructure: bool,
    /// A flow run's: whether it is a sub-flow's.
    pub has_parent: bool,
    /// A flow run's: its policy.
    pub policy: Option<&'a FlowRunPolicy>,
    /// A flow run's: how many of its deployment's runs may go on at once; absent: any number.
    pub limit: Option<Limit>,
    /// A flow run's: whether it holds a slot of its deployment.
    pub slot: Slot,
    /// A task run's: how it retries.
    pub retries: RetryPolicy,
    /// A task run's: how long to wait before the next attempt, in place of what `retries` says.
    pub next_delay: Option<Span>,
    /// A task run's: a completed state stored under the proposed state's cache key and not
    /// expired.
    pub cached: Option<&'a State>,
    /// A task run's: where the flow run stands that it is part of; absent where it is part of
    /// none.
    pub enclosing: Option<Enclosing<'a>>,
    /// A task run's: how the limits of its tags stand, where it would run.
    pub tags: TagSlots<'a>,
    /// A task run's: how often its flow run had run when this last began to.
    pub flow_run_run_count: i64,
}

/// What a client is known to do; the newest by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// Whether it knows of pauses, and so of attempts that go on (API 0.8.4 and later).
    pub knows_pauses: bool,
    /// Whether it renews its hold on a slot while it runs (Prefect 3.4.11 and later).
    pub renews_slots: bool,
    /// Whether a flow of it that is tried again begins the tasks anew that had failed (API 0.8.3
    /// and later).
    pub retries_tasks: bool,
}

impl Client {
    /// Those of the 2.0a7 generation.
    pub const OF_2_0A7: Self = Self {
        knows_pauses: false,
        renews_slots: false,
        retries_tasks: false,
    };
}

impl Default for Client {
    fn default() -> Self {
        Self {
            knows_pauses: true,
            renews_slots: true,
            retries_tasks: true,
        }
    }
}

/// How many runs of a deployment may go on at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// So many.
    pub slots: i64,
    /// So many slots others hold.
    pub taken: i64,
    /// What becomes of a run that finds none free.
    pub when_full: WhenFull,
    /// How long a run may take to begin before its slot is given to others.
    pub grace: Span,
    /// The id that the run's hold on a slot would get.
    pub next: LeaseId,
}

impl Limit {
    /// Whether a slot is free.
    pub fn has_room(&self) -> bool {
        self.taken < self.slots
    }
}

/// What becomes of a run that finds no slot free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// It tries again later.
    #[default]
    Enqueue,
    /// It is cancelled.
    CancelNew,
}

/// A run's hold on a slot of its deployment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Slot {
    /// It never had one.
    #[default]
    None,
    /// It has one.
    Held(LeaseId),
    /// It had one and lost it, for it did not renew it in time.
    Lost,
}

/// How the limits of a task run's tags stand.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum TagSlots<'a> {
    /// There is none, or the run holds its slots already.
    #[default]
    Unlimited,
    /// Each has one free.
    Free,
    /// Some have none free.
    Full {
        /// The tags that are limited, as they are told.
        tags: &'a str,
        /// How long to wait, in seconds, at least one.
        delay_secs: i64,
    },
    /// The limit of this tag has no slot at all.
    Never(&'a str),
}

/// The flow run that a task run is part of.
#[derive(Clone, Copy, Debug)]
pub struct Enclosing<'a> {
    /// Where it stands.
    pub state: Option<&'a State>,
    /// How often it ran.
    pub run_count: i64,
}

impl Facts<'_> {
    /// The type of the state that the run is in.
    pub(super) fn from(&self) -> Option<StateType> {
        self.current.map(|state| state.kind)
    }

    /// When the state that the run is in says that it is due.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.current.and_then(|state| state.details.scheduled_time)
    }
}

//! Work pools, their queues, and the workers that serve them.
//!
//! A run belongs to a queue, and that to a pool. Workers take the runs that are due of their
//! pool's queues, by the queues' priorities and within the limits of queue and pool. Whether
//! something is ready is not stored: it follows from who was heard of when, so that no restart
//! and no missed tick leaves a wrong word behind.

pub mod block;
pub mod job;
mod names;
mod priority;
mod status;
#[cfg(test)]
mod tests;
pub mod turn;

use serde_json::Value;

use super::JsonMap;
use super::deployment::Deployment;
use super::ids::{WorkPoolId, WorkQueueId, WorkerId};
use super::patch::Patch;
use super::time::{Span, Timestamp};

pub use names::{LONGEST_NAME, check_name, check_not_reserved, is_reserved};
pub use priority::{first_free, reordered};
pub use status::{POLLED_WITHIN, PoolStatus, QueueStatus, Service, WorkerStatus};

/// The queue that every pool has.
pub const DEFAULT_QUEUE: &str = "default";
/// The pool of queues that name none.
pub const AGENT_POOL: &str = "default-agent-pool";
/// The most queues of one pool.
pub const MOST_QUEUES: usize = 1000;
/// The most workers that are known of one pool.
pub const MOST_WORKERS: u64 = 1000;
/// The longest time between two heartbeats that a worker may announce, in seconds.
pub const LONGEST_HEARTBEAT: i64 = 86_400;

/// The label of a run that names the worker which took it.
pub const WORKER_LABEL: &str = "prefect.worker.name";

/// How many heartbeats a worker may miss.
const MISSED: i64 = 3;
/// How often a worker's heart beats that did not say, in seconds.
const USUAL_HEARTBEAT: i64 = 30;

/// As what the jobs of a pool are made: the type of its workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PoolKind {
    /// Containers.
    Docker,
    /// Containers on the swarm.
    Swarm,
    /// Processes of the worker's machine.
    Process,
    /// What agents of the 2.x generation make, by each deployment's own settings.
    Agent,
    /// A type that only others' workers know, by its word.
    Other(String),
}

impl PoolKind {
    /// Its word.
    pub fn word(&self) -> &str {
        match self {
            Self::Docker => "docker",
            Self::Swarm => "docker-swarm",
            Self::Process => "process",
            Self::Agent => "prefect-agent",
            Self::Other(word) => word,
        }
    }

    /// Whether the agent of this daemon can serve such pools.
    pub fn is_ours(&self) -> bool {
        !matches!(self, Self::Other(_))
    }
}

impl From<String> for PoolKind {
    fn from(word: String) -> Self {
        match word.as_str() {
            "docker" => Self::Docker,
            "docker-swarm" => Self::Swarm,
            "process" => Self::Process,
            "prefect-agent" => Self::Agent,
            _ => Self::Other(word),
        }
    }
}

/// A work pool as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkPool {
    /// Its id.
    pub id: WorkPoolId,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// Unique among pools.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// As what its jobs are made.
    pub kind: PoolKind,
    /// What its jobs are made of; see [`super::template`].
    pub base_job_template: JsonMap,
    /// Whether none of its runs are handed out.
    pub is_paused: bool,
    /// The most of its runs that are under way at once.
    pub concurrency_limit: Option<i64>,
    /// Where results and bundles of its runs are kept, as the client wrote it.
    pub storage: JsonMap,
    /// The queue of runs that name none.
    pub default_queue_id: WorkQueueId,
    /// Until when the worker is believed that was heard of last; absent: there is none.
    pub online_until: Option<Timestamp>,
    /// How many of its runs are pending or running.
    pub active_slots: i64,
    /// The status that was told of it last.
    pub told: Option<PoolStatus>,
}

/// What a client says of a pool that it creates.
#[derive(Clone, Debug, PartialEq)]
pub struct NewWorkPool {
    /// See [`WorkPool::name`].
    pub name: String,
    /// See [`WorkPool::description`].
    pub description: Option<String>,
    /// See [`WorkPool::kind`].
    pub kind: PoolKind,
    /// See [`WorkPool::base_job_template`].
    pub base_job_template: JsonMap,
    /// See [`WorkPool::is_paused`].
    pub is_paused: bool,
    /// See [`WorkPool::concurrency_limit`].
    pub concurrency_limit: Option<i64>,
    /// See [`WorkPool::storage`].
    pub storage: JsonMap,
}

impl NewWorkPool {
    /// The pool of queues that name none.
    pub fn for_agents() -> Self {
        Self {
            name: AGENT_POOL.to_owned(),
            description: None,
            kind: PoolKind::Agent,
            base_job_template: JsonMap::new(),
            is_paused: false,
            concurrency_limit: None,
            storage: JsonMap::new(),
        }
    }
}

/// Changes to a pool; absent fields stay.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkPoolUpdate {
    /// See [`WorkPool::description`].
    pub description: Patch<String>,
    /// See [`WorkPool::base_job_template`].
    pub base_job_template: Option<JsonMap>,
    /// See [`WorkPool::is_paused`].
    pub is_paused: Option<bool>,
    /// See [`WorkPool::concurrency_limit`].
    pub concurrency_limit: Patch<i64>,
    /// See [`WorkPool::storage`].
    pub storage: Option<JsonMap>,
}

impl WorkPoolUpdate {
    /// Whether nothing is changed but what may be changed of every pool.
    pub fn is_of_delivery(&self) -> bool {
        let Self {
            description,
            base_job_template,
            is_paused: _,
            concurrency_limit: _,
            storage,
        } = self;
        *description == Patch::Keep && base_job_template.is_none() && storage.is_none()
    }
}

/// A queue of a pool as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkQueue {
    /// Its id.
    pub id: WorkQueueId,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// Its pool.
    pub work_pool_id: WorkPoolId,
    /// Unique within the pool.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether none of its runs are handed out.
    pub is_paused: bool,
    /// The most of its runs that are under way at once.
    pub concurrency_limit: Option<i64>,
    /// Its runs go before those of queues with a larger number; 1 or more.
    pub priority: i64,
    /// Which runs belong to it, in the words of the 2.0 generation; only told back.
    pub filter: Option<Value>,
    /// When a worker last asked for its runs.
    pub last_polled: Option<Timestamp>,
    /// Its pool's name.
    pub pool_name: String,
    /// Its pool's type.
    pub pool_kind: PoolKind,
    /// See [`WorkPool::online_until`].
    pub online_until: Option<Timestamp>,
    /// How many of its runs are pending or running.
    pub active_slots: i64,
    /// The status that was told of it last.
    pub told: Option<QueueStatus>,
}

impl WorkQueue {
    /// Whether it would take a deployment's runs by its filter of the 2.0 generation; one that has
    /// none takes all.
    pub fn would_take(&self, deployment: &Deployment) -> bool {
        let listed = |name: &str| {
            let list = self.filter.as_ref().and_then(|filter| filter.get(name));
            list.and_then(Value::as_array)
                .filter(|list| !list.is_empty())
        };
        let id = deployment.id.to_string();
        let has_tags = listed("tags").is_none_or(|tags| {
            let has = |tag: &Value| deployment.tags.iter().any(|own| tag == own.as_str());
            tags.iter().all(has)
        });
        let is_named =
            listed("deployment_ids").is_none_or(|ids| ids.iter().any(|one| one == id.as_str()));
        has_tags && is_named
    }
}

/// What a client says of a queue that it creates.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewWorkQueue {
    /// See [`WorkQueue::name`].
    pub name: String,
    /// See [`WorkQueue::description`].
    pub description: Option<String>,
    /// See [`WorkQueue::is_paused`].
    pub is_paused: bool,
    /// See [`WorkQueue::concurrency_limit`].
    pub concurrency_limit: Option<i64>,
    /// See [`WorkQueue::priority`]; absent: the first number that is free.
    pub priority: Option<i64>,
    /// See [`WorkQueue::filter`].
    pub filter: Option<Value>,
}

impl NewWorkQueue {
    /// With that name, and nothing else said.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            description: Some(String::new()),
            ..Self::default()
        }
    }
}

/// Changes to a queue; absent fields stay.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkQueueUpdate {
    /// See [`WorkQueue::name`].
    pub name: Option<String>,
    /// See [`WorkQueue::description`].
    pub description: Patch<String>,
    /// See [`WorkQueue::is_paused`].
    pub is_paused: Option<bool>,
    /// See [`WorkQueue::concurrency_limit`].
    pub concurrency_limit: Patch<i64>,
    /// See [`WorkQueue::priority`].
    pub priority: Option<i64>,
    /// See [`WorkQueue::filter`].
    pub filter: Patch<Value>,
    /// See [`WorkQueue::last_polled`].
    pub last_polled: Patch<Timestamp>,
}

/// A worker of a pool.
#[derive(Clone, Debug, PartialEq)]
pub struct Worker {
    /// Its id.
    pub id: WorkerId,
    /// When it was first heard of.
    pub created: Timestamp,
    /// When it was last heard of.
    pub updated: Timestamp,
    /// Its pool.
    pub work_pool_id: WorkPoolId,
    /// Unique within the pool.
    pub name: String,
    /// When its heart last beat.
    pub last_heartbeat: Timestamp,
    /// How often its heart beats, in seconds.
    pub heartbeat_secs: Option<i64>,
    /// Until when it is believed to be there.
    pub online_until: Timestamp,
}

/// Until when a worker is believed whose heart beats at `now`, every so many seconds.
pub fn online_until(now: Timestamp, heartbeat_secs: Option<i64>) -> Timestamp {
    let secs = heartbeat_secs.unwrap_or(USUAL_HEARTBEAT);
    now + Span::from_micros(secs.saturating_mul(MISSED).saturating_mul(1_000_000))
}

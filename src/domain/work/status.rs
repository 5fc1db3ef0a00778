//! Whether pools, queues and workers are ready.

use super::{PoolKind, WorkPool, WorkQueue, Worker};
use crate::domain::deployment::Deployment;
use crate::domain::time::{Span, Timestamp};

/// For how long a queue is taken for watched after a worker asked for its runs.
pub const POLLED_WITHIN: Span = Span::from_micros(60_000_000);

/// Whether somebody serves a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolStatus {
    /// Somebody does.
    Ready,
    /// Nobody does.
    NotReady,
    /// Its runs are not handed out.
    Paused,
}

/// The same for a queue.
pub type QueueStatus = PoolStatus;

/// Whether a worker is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerStatus {
    /// It was heard of lately.
    Online,
    /// It was not.
    Offline,
}

impl PoolStatus {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ready => "READY",
            Self::NotReady => "NOT_READY",
            Self::Paused => "PAUSED",
        }
    }

    /// That of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        let all = [Self::Ready, Self::NotReady, Self::Paused];
        all.into_iter().find(|status| status.word() == word)
    }

    /// The word for it in the names of events.
    pub const fn kebab(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::NotReady => "not-ready",
            Self::Paused => "paused",
        }
    }
}

impl WorkerStatus {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Online => "ONLINE",
            Self::Offline => "OFFLINE",
        }
    }

    /// That of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Online, Self::Offline]
            .into_iter()
            .find(|status| status.word() == word)
    }
}

/// What is known of who serves pools, besides what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// The present moment.
    pub now: Timestamp,
    /// Whether this daemon's agent works.
    pub has_agent: bool,
}

impl Service {
    /// Whether a worker of its own serves a pool.
    pub fn has_worker(self, online_until: Option<Timestamp>) -> bool {
        online_until.is_some_and(|until| self.now <= until)
    }

    /// Whether this daemon's agent serves a pool. One that has a worker is that worker's.
    pub fn is_ours(self, kind: &PoolKind, online_until: Option<Timestamp>) -> bool {
        self.has_agent && kind.is_ours() && !self.has_worker(online_until)
    }

    fn is_served(self, kind: &PoolKind, online_until: Option<Timestamp>) -> bool {
        self.has_worker(online_until) || self.is_ours(kind, online_until)
    }

    /// Of a pool; of one for agents nothing is known, as in Prefect's server.
    pub fn of_pool(self, pool: &WorkPool) -> Option<PoolStatus> {
        match pool.kind {
            PoolKind::Agent => None,
            _ if pool.is_paused => Some(PoolStatus::Paused),
            _ if self.is_served(&pool.kind, pool.online_until) => Some(PoolStatus::Ready),
            _ => Some(PoolStatus::NotReady),
        }
    }

    /// Of a queue. A worker serves the queues that it asks for.
    pub fn of_queue(self, queue: &WorkQueue) -> QueueStatus {
        if queue.is_paused {
            QueueStatus::Paused
        } else if self.watches(queue) {
            QueueStatus::Ready
        } else {
            QueueStatus::NotReady
        }
    }

    /// Whether somebody asks for the runs of a queue, or would if it were not paused.
    pub fn watches(self, queue: &WorkQueue) -> bool {
        self.is_ours(&queue.pool_kind, queue.online_until) || self.is_polled(queue.last_polled)
    }

    /// Whether somebody would run a deployment's runs: asked for them of late, or asks for those
    /// of its queue.
    pub fn is_ready(self, deployment: &Deployment) -> bool {
        let of_queue = deployment.served.as_ref().is_some_and(|served| {
            self.is_polled(served.queue_polled)
                || self.is_ours(&served.pool_kind, served.online_until)
        });
        self.is_polled(deployment.last_polled) || of_queue
    }

    fn is_polled(self, last: Option<Timestamp>) -> bool {
        last.is_some_and(|at| self.now - at <= POLLED_WITHIN)
    }

    /// Of a worker.
    pub fn of_worker(self, worker: &Worker) -> WorkerStatus {
        match self.has_worker(Some(worker.online_until)) {
            true => WorkerStatus::Online,
            false => WorkerStatus::Offline,
        }
    }
}

//! Why a run that waits in a queue of a work pool is not handed out, and who serves it.

use super::{Code, Why, plain};
use crate::domain::work::{PoolKind, WorkPool, WorkQueue};

/// Where a run waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The pool.
    pub pool: WorkPool,
    /// Its queue.
    pub queue: WorkQueue,
    /// The workers of the pool that are there, by name.
    pub workers: Vec<String>,
}

impl Waiting {
    /// What keeps the run from being taken by an agent of ours; nothing where that is not the
    /// pool's or the queue's doing.
    pub(super) fn reason(&self) -> Option<Why> {
        let (pool, queue) = (&self.pool, &self.queue);
        if pool.is_paused {
            let words = format!("The work pool '{}' is paused.", pool.name);
            return Some(plain(Code::QueuePaused, words));
        }
        if queue.is_paused {
            let words = format!(
                "The queue '{}' of the work pool '{}' is paused.",
                queue.name, pool.name
            );
            return Some(plain(Code::QueuePaused, words));
        }
        self.full().or_else(|| self.served_by_others())
    }

    fn full(&self) -> Option<Why> {
        let (pool, queue) = (&self.pool, &self.queue);
        let is_full = |limit: Option<i64>, used: i64| limit.filter(|limit| used >= *limit);
        let words = match (
            is_full(pool.concurrency_limit, pool.active_slots),
            is_full(queue.concurrency_limit, queue.active_slots),
        ) {
            (Some(limit), _) => format!(
                "The work pool '{}' has as many runs under way as it may, {limit}.",
                pool.name
            ),
            (None, Some(limit)) => format!(
                "The queue '{}' of the work pool '{}' has as many runs under way as it may, \
                 {limit}.",
                queue.name, pool.name
            ),
            (None, None) => return None,
        };
        Some(plain(Code::LimitReached, words))
    }

    fn served_by_others(&self) -> Option<Why> {
        let pool = &self.pool;
        match (self.workers.first(), &pool.kind) {
            (Some(worker), _) => Some(plain(
                Code::ServedByWorker,
                format!(
                    "The work pool '{}' is served by its own worker '{worker}'{}, which has not \
                     taken the run yet.",
                    pool.name,
                    match self.workers.len() {
                        1 => String::new(),
                        more => format!(" and {} more", more - 1),
                    }
                ),
            )),
            (None, PoolKind::Other(kind)) => Some(plain(
                Code::NoWorker,
                format!(
                    "No worker serves the work pool '{}' of type {kind:?}, and the daemon's own \
                     agent serves 'docker' and 'process'. Start one with `prefect worker start \
                     --pool '{}'`.",
                    pool.name, pool.name
                ),
            )),
            (None, _) => None,
        }
    }
}

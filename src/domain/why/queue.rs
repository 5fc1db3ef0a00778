//! Why a run that waits in a queue of a work pool is not handed out, and who serves it.

use super::{Code, Full, Holder, Why, WhyFacts, plain};
use crate::domain::work::{PoolKind, WorkPool, WorkQueue};

/// Where a run waits, or was taken from.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The pool.
    pub pool: WorkPool,
    /// Its queue.
    pub queue: WorkQueue,
    /// The workers of the pool that are there, by name.
    pub workers: Vec<String>,
    /// Whether an agent of Prefect 2 asks for the queue's runs.
    pub has_agent: bool,
    /// The type of the infrastructure block that the run needs, where no agent of ours makes
    /// anything of that.
    pub foreign: Option<String>,
    /// Runs that hold slots of what is full, or as many as are named.
    pub holders: Vec<Holder>,
}

/// Whose limit is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// That of the pool.
    Pool,
    /// That of the queue.
    Queue,
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
        self.limited().or_else(|| self.served_by_others())
    }

    /// Why nobody takes the run, where the pool has no worker and the daemon no agent.
    pub(super) fn unserved(&self) -> Why {
        let words = format!(
            "No worker serves the work pool '{0}', and prefectd runs without its own agent, which \
             would. Start a worker with `prefect worker start --pool '{0}'`, or prefectd without \
             --no-agent.",
            self.pool.name
        );
        plain(Code::NoWorker, words)
    }

    /// Whose limit is reached, if one is.
    pub fn full(&self) -> Option<Within> {
        self.reached().map(|(within, ..)| within)
    }

    /// The limit that is reached, and how many slots of it are taken.
    fn reached(&self) -> Option<(Within, i64, i64)> {
        let (pool, queue) = (&self.pool, &self.queue);
        let limits = [
            (Within::Pool, pool.concurrency_limit, pool.active_slots),
            (Within::Queue, queue.concurrency_limit, queue.active_slots),
        ];
        let mut limits = limits
            .into_iter()
            .filter_map(|(within, limit, used)| Some((within, limit?, used)));
        limits.find(|(_, limit, used)| used >= limit)
    }

    fn limited(&self) -> Option<Why> {
        let (within, slots, used) = self.reached()?;
        let (pool, queue) = (&self.pool.name, &self.queue.name);
        let whose = match within {
            Within::Pool => format!("The work pool '{pool}'"),
            Within::Queue => format!("The queue '{queue}' of the work pool '{pool}'"),
        };
        let full = Full {
            shared: None,
            slots,
            taken: used.unsigned_abs(),
            holders: self.holders.clone(),
        };
        Some(full.reason(&whose))
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
                     agent serves 'docker', 'docker-swarm' and 'process'. Start one with `prefect worker start \
                     --pool '{}'`.",
                    pool.name, pool.name
                ),
            )),
            (None, PoolKind::Agent) => self.served_by_agents(),
            (None, _) => None,
        }
    }

    /// Of agents of Prefect 2.
    fn served_by_agents(&self) -> Option<Why> {
        let queue = &self.queue.name;
        if self.has_agent {
            let words = format!(
                "The queue '{queue}' is served by an agent of Prefect 2, which asks for its runs \
                 and has not taken this one yet."
            );
            return Some(plain(Code::ServedByWorker, words));
        }
        let foreign = self.foreign.as_ref()?;
        let words = format!(
            "The run's infrastructure is a block of the type '{foreign}', of which the daemon's \
             own agent makes nothing, and no agent of Prefect 2 asks for runs of the queue \
             '{queue}'. Start one with `prefect agent start -q '{queue}'`."
        );
        Some(plain(Code::NoWorker, words))
    }
}

/// What an agent that took the run serves, as words after its name; none where that is no pool.
pub(super) fn served(facts: &WhyFacts<'_>) -> String {
    match &facts.waiting {
        Some(waiting) => format!(", which serves the work pool '{}',", waiting.pool.name),
        None => String::new(),
    }
}

/// Who took a run that runs, as words after that; none where nobody of ours or of its pool did.
pub(super) fn taken_by(facts: &WhyFacts<'_>) -> String {
    match (&facts.run.claim, &facts.waiting) {
        (Some(claim), _) => format!("; the agent '{}'{} took it", claim.agent, served(facts)),
        (None, Some(waiting)) => format!("; {} took it", worker(facts, waiting)),
        (None, None) => String::new(),
    }
}

/// That somebody took a run who is none of prefectd's agents, as a sentence.
pub(super) fn taken_by_others(facts: &WhyFacts<'_>) -> String {
    let who = match &facts.waiting {
        Some(waiting) => worker(facts, waiting),
        None => "an agent that is not one of prefectd's, or a script,".to_owned(),
    };
    format!("The run has not begun yet; {who} took it.")
}

/// The worker that a run says it was taken by.
fn worker(facts: &WhyFacts<'_>, waiting: &Waiting) -> String {
    let pool = &waiting.pool.name;
    let named = facts.run.taker();
    match named {
        Some(name) if waiting.workers.iter().any(|there| there == name) => {
            format!("the worker '{name}' of the work pool '{pool}'")
        }
        Some(name) => format!(
            "the worker '{name}' of the work pool '{pool}', which is not heard of any more,"
        ),
        None => format!("a worker of the work pool '{pool}'"),
    }
}

//! May this run go there? One function answers, from facts and a time to a verdict.
//!
//! The rules mirror the 2.0a7 server's core policies: each is asked in order, and the first
//! that has an answer other than "go on" ends the asking. A rule knows the state that the run
//! is in and the one proposed, and nothing that is not in [`Facts`].

mod cache;
mod cancel;
mod double_submission;
mod rename_reruns;
mod retry;
mod scheduled_time;
mod terminal;

use super::state::{ProposedState, State, StateType};
use super::task_run::RetryPolicy;
use super::time::Timestamp;

pub use cancel::agent_s_end;

/// What the rules look at, read in the transaction that will write the verdict.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// Where the run stands; absent for its first state.
    pub current: Option<&'a State>,
    /// How often it entered a running state.
    pub run_count: i64,
    /// Flow run or task run, and what only that kind has.
    pub subject: Subject<'a>,
}

/// Whose state is proposed.
#[derive(Clone, Debug)]
pub enum Subject<'a> {
    /// A flow run.
    FlowRun {
        /// Whether it came from a deployment, so that agents compete for it.
        deployed: bool,
        /// Whether one of prefectd's own agents took it, so that there may be a process.
        held: bool,
    },
    /// A task run.
    TaskRun {
        /// How it retries.
        policy: RetryPolicy,
        /// A completed state stored under the proposed state's cache key and not expired.
        cached: Option<&'a State>,
    },
}

/// What the rules say to a proposal.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Enter this state: the proposed one, perhaps under a finer name.
    Accept(ProposedState),
    /// Enter this state instead.
    Reject {
        /// The state to enter.
        instead: ProposedState,
        /// Why.
        why: &'static str,
    },
    /// Stay, and ask again.
    Wait {
        /// After so many seconds, at least one.
        delay_secs: i64,
        /// Why.
        why: &'static str,
    },
    /// Stay, and stop executing the run.
    Abort {
        /// Why.
        why: String,
    },
}

/// What one rule says.
enum Opinion {
    /// Nothing against it.
    GoOn,
    /// Nothing against it, but under this name.
    Rename(&'static str),
    /// The verdict; no further rule is asked.
    Final(Box<Verdict>),
}

impl Opinion {
    fn settled(verdict: Verdict) -> Self {
        Self::Final(Box::new(verdict))
    }
}

type Rule = fn(&Facts<'_>, &ProposedState, Timestamp) -> Opinion;

/// The rules for flow runs, in order.
const FLOW_RUN_RULES: &[Rule] = &[
    cancel::stick,
    double_submission::prevent,
    scheduled_time::wait,
];

/// The rules for task runs, in order. The cache is asked before terminal states are
/// protected, as on the 2.0a7 server.
const TASK_RUN_RULES: &[Rule] = &[
    cache::retrieve,
    terminal::protect,
    scheduled_time::wait,
    retry::failed_attempt,
    rename_reruns::rename,
];

/// Decides what becomes of `proposed` at `now`.
pub fn decide(facts: &Facts<'_>, proposed: ProposedState, now: Timestamp) -> Verdict {
    let rules = match facts.subject {
        Subject::FlowRun { .. } => FLOW_RUN_RULES,
        Subject::TaskRun { .. } => TASK_RUN_RULES,
    };
    let mut proposed = proposed;
    for rule in rules {
        match rule(facts, &proposed, now) {
            Opinion::GoOn => {}
            Opinion::Rename(name) => proposed.name = Some(name.to_owned()),
            Opinion::Final(verdict) => return *verdict,
        }
    }
    Verdict::Accept(proposed)
}

/// The type of the state that the run is in.
fn from(facts: &Facts<'_>) -> Option<StateType> {
    facts.current.map(|state| state.kind)
}

#[cfg(test)]
mod tests;

//! May this run go there? One function answers, from facts and a time to a ruling.
//!
//! Which rules are asked depends on the [`Policy`], so on the generation of the API that the
//! proposal came by, and on whether it is of a flow run or of a task run; see `rules_of`. They
//! are asked in order, and the first that settles the matter ends the asking. A rule knows the
//! state that the run is in and the one proposed, and nothing that is not in [`Facts`]. What
//! holds in every generation is in `common`.

mod common;
mod orion;
mod v3;

use super::state::{ProposedState, State, StateType};
use super::task_run::RetryPolicy;
use super::time::Timestamp;

pub use common::cancelling::agent_s_end;

/// A generation of the API, each with its own rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// That of 2.0a7.
    Orion,
    /// Everything later, and what the daemon does by itself.
    V3,
}

impl Generation {
    /// Every generation.
    pub const ALL: [Generation; 2] = [Generation::Orion, Generation::V3];
}

/// Which of a generation's rules are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// All.
    Normal(Generation),
    /// Those that hold where a state is forced.
    Forced(Generation),
}

impl Policy {
    /// That of a proposal in a generation, forced or not.
    pub fn of(generation: Generation, is_forced: bool) -> Self {
        if is_forced {
            Self::Forced(generation)
        } else {
            Self::Normal(generation)
        }
    }

    /// Whether the state is forced.
    pub fn is_forced(self) -> bool {
        matches!(self, Self::Forced(_))
    }
}

/// Of what a state is proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunKind {
    /// A flow run.
    FlowRun,
    /// A task run.
    TaskRun,
}

/// What the rules look at, read in the transaction that will write the ruling. What only one
/// kind of run has is as by default on the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    /// Where the run stands; absent for its first state.
    pub current: Option<&'a State>,
    /// How often it entered a running state.
    pub run_count: i64,
    /// A flow run's: whether it came from a deployment, so that agents compete for it.
    pub is_deployed: bool,
    /// A flow run's: whether one of prefectd's own agents took it, so that there may be a
    /// process.
    pub is_held: bool,
    /// A task run's: how it retries.
    pub retries: RetryPolicy,
    /// A task run's: a completed state stored under the proposed state's cache key and not
    /// expired.
    pub cached: Option<&'a State>,
}

impl Facts<'_> {
    /// The type of the state that the run is in.
    fn from(&self) -> Option<StateType> {
        self.current.map(|state| state.kind)
    }
}

/// What the rules say to a proposal, and what that entails.
#[derive(Clone, Debug, PartialEq)]
pub struct Ruling {
    /// What becomes of the proposal.
    pub verdict: Verdict,
    /// What is written together with the state that the run enters; empty when it enters none.
    pub consequences: Vec<Consequence>,
}

/// What becomes of a proposal.
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

/// What is written beside the state that a run enters, in the same transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// The state answers later proposals to run under this cache key.
    Cache {
        /// The key; not empty.
        key: String,
    },
}

/// A proposal on its way through the rules, each of which may amend it.
struct Draft {
    proposed: ProposedState,
    /// What its acceptance would entail.
    consequences: Vec<Consequence>,
}

/// What one rule says.
enum Opinion {
    /// Nothing against it, as it is by now.
    GoOn,
    /// The ruling; no further rule is asked.
    Settled(Box<Ruling>),
}

impl Opinion {
    /// Settles the matter without further consequences. Those of the draft are of its acceptance
    /// only and are dropped.
    fn settled(verdict: Verdict) -> Self {
        Self::Settled(Box::new(Ruling {
            verdict,
            consequences: Vec::new(),
        }))
    }
}

type Rule = fn(&Facts<'_>, &mut Draft, Timestamp) -> Opinion;

/// The rules that are asked, in order.
fn rules_of(policy: Policy, kind: RunKind) -> &'static [Rule] {
    match (policy, kind) {
        (Policy::Normal(Generation::Orion), RunKind::FlowRun) => orion::FLOW_RUN,
        (Policy::Normal(Generation::Orion), RunKind::TaskRun) => orion::TASK_RUN,
        (Policy::Forced(Generation::Orion), _) => orion::FORCED,
        (Policy::Normal(Generation::V3), RunKind::FlowRun) => v3::FLOW_RUN,
        (Policy::Normal(Generation::V3), RunKind::TaskRun) => v3::TASK_RUN,
        (Policy::Forced(Generation::V3), _) => v3::FORCED,
    }
}

/// Decides what becomes of a state that is `proposed` of a run of that kind at `now`.
pub fn decide(
    policy: Policy,
    kind: RunKind,
    facts: &Facts<'_>,
    proposed: ProposedState,
    now: Timestamp,
) -> Ruling {
    let mut draft = Draft {
        proposed,
        consequences: Vec::new(),
    };
    for rule in rules_of(policy, kind) {
        match rule(facts, &mut draft, now) {
            Opinion::GoOn => {}
            Opinion::Settled(ruling) => return *ruling,
        }
    }
    Ruling {
        verdict: Verdict::Accept(draft.proposed),
        consequences: draft.consequences,
    }
}

#[cfg(test)]
mod tests;

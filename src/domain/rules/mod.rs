//! May this run go there? One function answers, from facts and a time to a ruling.
//!
//! Which rules are asked depends on the [`Policy`], so on the generation of the API that the
//! proposal came by, and on whether it is of a flow run or of a task run; see `rules_of`. They
//! are asked in order, and the first that settles the matter ends the asking. A rule knows the
//! state that the run is in and the one proposed, and nothing that is not in [`Facts`]. What
//! holds in every generation is in `common`.

mod common;
mod facts;
mod orion;
mod v3;

use std::collections::BTreeMap;

use super::flow_run_policy::FlowRunPolicy;
use super::ids::LeaseId;
use super::state::{ProposedState, StateType};
use super::time::{Span, Timestamp};

pub use common::cancelling::agent_s_end;
pub use facts::{Client, Enclosing, Facts, Limit, Slot, TagSlots, WhenFull};

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
    /// Those by which a flow run is marked late.
    Late,
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

    /// The generation whose rules they are.
    pub fn generation(self) -> Generation {
        match self {
            Self::Normal(generation) | Self::Forced(generation) => generation,
            Self::Late => Generation::V3,
        }
    }
}

/// Of what a state is proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunKind {
    /// A flow run.
    FlowRun,
    /// A task run.
    TaskRun,
    /// A task run that was handed in for others to run, in the background.
    BackgroundTask,
}

/// What the rules say to a proposal, and what that entails.
#[derive(Clone, Debug, PartialEq)]
pub struct Ruling {
    /// What becomes of the proposal.
    pub verdict: Verdict,
    /// What is written together with the state that the run enters; empty when it enters none.
    pub consequences: Vec<Consequence>,
    /// Whether entering a running state begins an attempt, so that it is counted.
    pub is_counted: bool,
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
    /// Stay, and be told where the run stands.
    Stay {
        /// Why.
        why: String,
    },
    /// Stay, and ask again.
    Wait {
        /// After so many seconds, at least one.
        delay_secs: i64,
        /// Why.
        why: String,
    },
    /// Stay, and stop executing the run.
    Abort {
        /// Why.
        why: String,
    },
}

/// What is written beside the state that a run enters, in the same transaction.
#[derive(Clone, Debug, PartialEq)]
pub enum Consequence {
    /// The state answers later proposals to run under this cache key.
    Cache {
        /// The key; not empty.
        key: String,
    },
    /// A flow run has this policy from here on.
    Policy(FlowRunPolicy),
    /// What is kept under these keys of a flow run's was handed in for an earlier attempt, and
    /// goes.
    DropInputs(BTreeMap<String, String>),
    /// A flow run holds a slot of its deployment.
    TakeSlot {
        /// Its hold on it.
        lease: LeaseId,
        /// For how long, unless it is renewed.
        grace: Span,
    },
    /// A flow run's hold on a slot is renewed.
    RenewSlot {
        /// For how long.
        grace: Span,
    },
    /// A flow run holds its slot until it ends, for its client does not renew it.
    KeepSlot,
    /// A flow run's slot is given back.
    GiveBackSlot,
    /// The task runs of a flow run that have failed wait for another attempt, as if they had not
    /// run yet: its client looks for them there.
    RetryTasks,
    /// A task run is tried as often as if it had not run yet.
    ResetRunCount,
    /// A task run belongs to this attempt of its flow run.
    OfAttempt(i64),
    /// A task run holds a slot of each of the limits of its tags.
    TakeTagSlots,
}

/// A proposal on its way through the rules, each of which may amend it.
struct Draft {
    proposed: ProposedState,
    /// What its acceptance would entail.
    consequences: Vec<Consequence>,
    /// The flow run's policy as rules change it before the step.
    policy: FlowRunPolicy,
    /// What the step itself changes of that.
    passage: Option<Passage>,
}

/// What a step through a pause changes of a policy.
enum Passage {
    /// The run comes to a pause of that key.
    Into(String),
    /// It leaves one and goes on.
    OutOf,
    /// It leaves one whose process is gone, and begins anew.
    Anew,
}

/// What one rule says.
#[expect(
    clippy::large_enum_variant,
    reason = "it is looked at where it is made, and a box would be an allocation a step"
)]
enum Opinion {
    /// Nothing against it, as it is by now.
    GoOn,
    /// The verdict; no further rule is asked.
    Settled(Verdict),
}

impl Opinion {
    fn settled(verdict: Verdict) -> Self {
        Self::Settled(verdict)
    }

    fn stay(why: impl Into<String>) -> Self {
        Self::Settled(Verdict::Stay { why: why.into() })
    }

    fn abort(why: impl Into<String>) -> Self {
        Self::Settled(Verdict::Abort { why: why.into() })
    }

    fn reject(instead: ProposedState, why: &'static str) -> Self {
        Self::Settled(Verdict::Reject { instead, why })
    }
}

type Rule = fn(&Facts<'_>, &mut Draft, Timestamp) -> Opinion;

/// The rules that are asked, in order.
fn rules_of(policy: Policy, kind: RunKind) -> &'static [Rule] {
    match (policy, kind) {
        (Policy::Normal(Generation::Orion), RunKind::FlowRun) => orion::FLOW_RUN,
        (Policy::Normal(Generation::Orion), RunKind::TaskRun | RunKind::BackgroundTask) => {
            orion::TASK_RUN
        }
        (Policy::Forced(Generation::Orion), _) => orion::FORCED,
        (Policy::Normal(Generation::V3), RunKind::FlowRun) => v3::FLOW_RUN,
        (Policy::Normal(Generation::V3), RunKind::TaskRun) => v3::TASK_RUN,
        (Policy::Forced(Generation::V3), RunKind::FlowRun) => v3::FORCED_FLOW_RUN,
        (Policy::Forced(Generation::V3), RunKind::TaskRun) => v3::FORCED_TASK_RUN,
        // Forced or not, as to the 3.9 server.
        (
            Policy::Normal(Generation::V3) | Policy::Forced(Generation::V3),
            RunKind::BackgroundTask,
        ) => v3::BACKGROUND_TASK,
        (Policy::Late, _) => v3::LATE,
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
        policy: facts.policy.cloned().unwrap_or_default(),
        passage: None,
    };
    for rule in rules_of(policy, kind) {
        if let Opinion::Settled(verdict) = rule(facts, &mut draft, now) {
            return settled(kind, facts, draft, verdict);
        }
    }
    let accepted = Verdict::Accept(draft.proposed.clone());
    settled(kind, facts, draft, accepted)
}

/// The ruling that a verdict comes to.
fn settled(kind: RunKind, facts: &Facts<'_>, draft: Draft, verdict: Verdict) -> Ruling {
    let is_rejected = match &verdict {
        Verdict::Accept(_) => false,
        Verdict::Reject { .. } => true,
        Verdict::Stay { .. } | Verdict::Wait { .. } | Verdict::Abort { .. } => {
            return Ruling {
                verdict,
                consequences: Vec::new(),
                is_counted: true,
            };
        }
    };
    let mut consequences = common::slots::released(facts, &verdict);
    consequences.extend(v3::retry::tasks(kind, facts, &verdict));
    let mut before = draft.policy;
    if is_rejected {
        // What led to another state changes nothing; what was made of a run that had ended goes
        // with it.
        let has_ended = facts.from().is_some_and(StateType::is_terminal);
        before = match (facts.policy, has_ended) {
            (Some(policy), true) => policy.clone(),
            _ => before,
        };
    } else {
        consequences.extend(draft.consequences);
    }
    let is_counted = !(facts.client.knows_pauses && before.resuming);
    if let (RunKind::FlowRun, Some(policy)) = (kind, facts.policy) {
        let entered = verdict.entered().map(|state| state.kind);
        let after = common::policy::after(before, draft.passage, entered, facts.client);
        if *policy != after {
            consequences.push(Consequence::Policy(after));
        }
    }
    Ruling {
        verdict,
        consequences,
        is_counted: kind != RunKind::FlowRun || is_counted,
    }
}

impl Verdict {
    /// The state that is entered.
    fn entered(&self) -> Option<&ProposedState> {
        match self {
            Verdict::Accept(state) | Verdict::Reject { instead: state, .. } => Some(state),
            Verdict::Stay { .. } | Verdict::Wait { .. } | Verdict::Abort { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;

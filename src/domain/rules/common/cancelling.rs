//! A run that was cancelled stays cancelled.
//!
//! The 2.0a7 server knows no Cancelling and lets a flow run leave Cancelled; of the runs that
//! nobody's agent holds this stays so. Later Prefect versions refuse every step from Cancelling
//! or Cancelled but the one to Cancelled (`EnforceCancellingToCancelledTransition`), and so do
//! these rules: what the run's own process still tells is told too late.

use crate::domain::rules::{Draft, Facts, Opinion, Verdict};
use crate::domain::state::{ProposedState, State, StateType};
use crate::domain::time::Timestamp;

/// From Cancelling a run goes to Cancelled, whatever else is proposed.
pub(in crate::domain::rules) fn sticks(
    facts: &Facts<'_>,
    draft: &mut Draft,
    _now: Timestamp,
) -> Opinion {
    use StateType::{Cancelled, Cancelling};
    match (facts.from(), draft.proposed.kind) {
        (Some(Cancelling), Cancelling | Cancelled) => Opinion::GoOn,
        (Some(Cancelling), told) => Opinion::settled(Verdict::Reject {
            instead: instead_of(told),
            why: "The run was asked to stop",
        }),
        _ => Opinion::GoOn,
    }
}

/// A flow run that is Cancelled and whose process an agent may still hold goes nowhere, until
/// it is scheduled anew.
pub(in crate::domain::rules) fn cancelled_stays(
    facts: &Facts<'_>,
    draft: &mut Draft,
    _now: Timestamp,
) -> Opinion {
    use StateType::{Cancelled, Pending, Scheduled};
    match (facts.from(), draft.proposed.kind) {
        (Some(Cancelled), Cancelled | Scheduled) => Opinion::GoOn,
        // An agent that took the run when it was still to run.
        (Some(Cancelled), Pending) if facts.is_deployed => was_cancelled(),
        (Some(Cancelled), _) if facts.is_held => was_cancelled(),
        _ => Opinion::GoOn,
    }
}

fn was_cancelled() -> Opinion {
    Opinion::settled(Verdict::Abort {
        why: "This run was cancelled.".to_owned(),
    })
}

/// How a run ends that was asked to stop and that tells something else.
pub(in crate::domain::rules) fn instead_of(told: StateType) -> ProposedState {
    let message = if told.is_terminal() {
        format!("Cancelled; the run's process told {told} after that.")
    } else {
        format!("Cancelled before the run became {told}.")
    };
    ProposedState::new(StateType::Cancelled).because(message)
}

/// How a run ends of which its agent, or whoever looks after agents, tells `end`: one that was
/// asked to stop is Cancelled, however its process ended, with what is told of that.
pub fn agent_s_end(current: Option<&State>, end: ProposedState) -> ProposedState {
    let is_cancelling = current.is_some_and(|state| state.kind == StateType::Cancelling);
    if !is_cancelling || end.kind == StateType::Cancelled {
        return end;
    }
    let mut cancelled = ProposedState::new(StateType::Cancelled).because(match &end.message {
        Some(told) => format!("Cancelled. {told}"),
        None => "Cancelled.".to_owned(),
    });
    cancelled.id = end.id;
    cancelled.details = end.details;
    cancelled
}

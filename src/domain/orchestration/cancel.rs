//! A flow run that was cancelled stays cancelled.
//!
//! The 2.0a7 server knows no Cancelling and lets a flow run leave Cancelled; of the runs that
//! nobody's agent holds this stays so. Later Prefect versions refuse every step from Cancelling
//! or Cancelled but the one to Cancelled (`EnforceCancellingToCancelledTransition`), and so does
//! this rule: what the run's own process still tells is told too late.

use super::{Facts, Opinion, Subject, Verdict, from};
use crate::domain::state::{ProposedState, State, StateType};
use crate::domain::time::Timestamp;

/// From Cancelling a run goes to Cancelled, whatever else is proposed. One that is Cancelled
/// and whose process an agent may still hold goes nowhere, until it is scheduled anew.
pub(super) fn stick(facts: &Facts<'_>, proposed: &ProposedState, _now: Timestamp) -> Opinion {
    let Subject::FlowRun { deployed, held } = facts.subject else {
        return Opinion::GoOn;
    };
    use StateType::{Cancelled, Cancelling, Pending, Scheduled};
    match (from(facts), proposed.kind) {
        (Some(Cancelling), Cancelling | Cancelled) => Opinion::GoOn,
        (Some(Cancelling), told) => Opinion::settled(Verdict::Reject {
            instead: instead_of(told),
            why: "The run was asked to stop",
        }),
        (Some(Cancelled), Cancelled | Scheduled) => Opinion::GoOn,
        // An agent that took the run when it was still to run.
        (Some(Cancelled), Pending) if deployed => was_cancelled(),
        (Some(Cancelled), _) if held => was_cancelled(),
        _ => Opinion::GoOn,
    }
}

fn was_cancelled() -> Opinion {
    Opinion::settled(Verdict::Abort {
        why: "This run was cancelled.".to_owned(),
    })
}

fn instead_of(told: StateType) -> ProposedState {
    ProposedState::new(StateType::Cancelled).because(match told {
        told if told.is_terminal() => {
            format!("Cancelled; the run's process told {told} after that.")
        }
        told => format!("Cancelled before the run became {told}."),
    })
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

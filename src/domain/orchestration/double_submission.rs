//! Two agents never submit one run.
//!
//! The 2.0a7 server lets every agent that polled a scheduled run take it to Pending, so that
//! two agents can both start it. Later Prefect versions close the gap with
//! `PreventPendingTransitions`; this rule does the same for runs of deployments, which are
//! the ones that agents compete for.

use super::{Facts, Opinion, Subject, Verdict, from};
use crate::domain::state::{ProposedState, StateType};
use crate::domain::time::Timestamp;

/// Aborts Pending for a deployed run that is already Pending, Running or being cancelled.
pub(super) fn prevent(facts: &Facts<'_>, proposed: &ProposedState, _now: Timestamp) -> Opinion {
    let deployed = matches!(facts.subject, Subject::FlowRun { deployed: true, .. });
    if !deployed || proposed.kind != StateType::Pending {
        return Opinion::GoOn;
    }
    match from(facts) {
        Some(kind @ (StateType::Pending | StateType::Running | StateType::Cancelling)) => {
            Opinion::settled(Verdict::Abort {
                why: format!("This run is {kind} and cannot be submitted again."),
            })
        }
        _ => Opinion::GoOn,
    }
}

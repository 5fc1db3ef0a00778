//! Two agents never submit one run.
//!
//! The 2.0a7 server lets every agent that polled a scheduled run take it to Pending, so that
//! two agents can both start it. Later Prefect versions close the gap with
//! `PreventPendingTransitions`; this rule does the same for runs of deployments, which are
//! the ones that agents compete for.

use crate::domain::rules::{Draft, Facts, Opinion, Verdict};
use crate::domain::state::StateType;
use crate::domain::time::Timestamp;

/// Aborts Pending for a deployed run that is already Pending, Running or being cancelled.
pub(in crate::domain::rules) fn prevent(
    facts: &Facts<'_>,
    draft: &mut Draft,
    _now: Timestamp,
) -> Opinion {
    if !facts.is_deployed || draft.proposed.kind != StateType::Pending {
        return Opinion::GoOn;
    }
    match facts.from() {
        Some(kind @ (StateType::Pending | StateType::Running | StateType::Cancelling)) => {
            Opinion::settled(Verdict::Abort {
                why: format!("This run is {kind} and cannot be submitted again."),
            })
        }
        _ => Opinion::GoOn,
    }
}

//! A flow run that is asked to stop stops.
//!
//! Mirrors `EnforceCancellingToCancelledTransition` and `BypassCancellingFlowRunsWithNoInfra`.

use crate::domain::rules::common::cancelling::instead_of;
use crate::domain::rules::{Draft, Facts, Opinion};
use crate::domain::state::{ProposedState, StateType};
use crate::domain::time::Timestamp;

/// From Cancelling a run goes to Cancelled and nowhere else.
pub(in crate::domain::rules) fn sticks(
    facts: &Facts<'_>,
    draft: &mut Draft,
    _now: Timestamp,
) -> Opinion {
    use StateType::{Cancelled, Cancelling};
    match facts.from() == Some(Cancelling) && draft.proposed.kind != Cancelled {
        true => Opinion::stay(
            "Cannot transition flows that are cancelling to a state other than Cancelled.",
        ),
        false => Opinion::GoOn,
    }
}

/// A run that an agent of ours stops is Cancelled, though its process tells by force that it was
/// killed. The worker of the 3.9 release says so afterwards.
pub(in crate::domain::rules) fn killed_by_wish(
    facts: &Facts<'_>,
    draft: &mut Draft,
    _now: Timestamp,
) -> Opinion {
    use StateType::{Cancelling, Crashed};
    let told = draft.proposed.kind;
    match facts.is_held && facts.from() == Some(Cancelling) && told == Crashed {
        true => Opinion::reject(instead_of(told), "The run was asked to stop"),
        false => Opinion::GoOn,
    }
}

/// A run that has no process is cancelled at once.
pub(in crate::domain::rules) fn nothing_to_stop(
    facts: &Facts<'_>,
    draft: &mut Draft,
    _now: Timestamp,
) -> Opinion {
    use StateType::{Cancelled, Cancelling, Paused, Scheduled};
    let Some(current) = facts.current.filter(|_| draft.proposed.kind == Cancelling) else {
        return Opinion::GoOn;
    };
    let is_bare = !facts.has_infrastructure || current.name == "Resuming";
    match current.kind {
        Scheduled if is_bare => Opinion::reject(
            ProposedState::new(Cancelled),
            "Scheduled flow run has no infrastructure to terminate.",
        ),
        Paused if current.name == "Resuming" => Opinion::reject(
            ProposedState::new(Cancelled),
            "Scheduled flow run has no infrastructure to terminate.",
        ),
        Paused if current.details.pause_reschedule => Opinion::reject(
            ProposedState::new(Cancelled),
            "Suspended flow run has no infrastructure to terminate.",
        ),
        _ => Opinion::GoOn,
    }
}

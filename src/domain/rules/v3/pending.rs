//! Two workers never submit one run.
//!
//! Mirrors `PreventPendingTransitions`, which lets a run that is on its way go from one step of
//! that to the next.

use crate::domain::rules::{Draft, Facts, Opinion};
use crate::domain::state::StateType;
use crate::domain::time::Timestamp;

/// Aborts Pending for a run that was submitted, unless it names a further step of that.
pub(in crate::domain::rules) fn submit_once(
    facts: &Facts<'_>,
    draft: &mut Draft,
    _now: Timestamp,
) -> Opinion {
    use StateType::{Cancelled, Cancelling, Pending, Running};
    if draft.proposed.kind != Pending {
        return Opinion::GoOn;
    }
    let Some(current) = facts.current else {
        return Opinion::GoOn;
    };
    if !matches!(current.kind, Pending | Cancelling | Running | Cancelled) {
        return Opinion::GoOn;
    }
    let name = draft.proposed.name.as_deref().unwrap_or("Pending");
    if current.kind == Pending && name != "Pending" && name != current.name {
        draft.proposed.details.scheduled_time = current.details.scheduled_time;
        draft.proposed.details.lease = current.details.lease;
        return Opinion::GoOn;
    }
    Opinion::abort(format!(
        "This run is in a {} state and cannot transition to a PENDING state.",
        current.kind
    ))
}

//! Only what waits for its time is late.
//!
//! Mirrors `EnsureOnlyScheduledFlowsMarkedLate`.

use crate::domain::rules::{Draft, Facts, Opinion};
use crate::domain::state::StateType;
use crate::domain::time::Timestamp;

/// Refuses to mark a run late that is not scheduled, or that is marked already.
pub(in crate::domain::rules) fn only_scheduled(
    facts: &Facts<'_>,
    draft: &mut Draft,
    _now: Timestamp,
) -> Opinion {
    let proposed = &draft.proposed;
    let marks = proposed.kind == StateType::Scheduled && proposed.name.as_deref() == Some("Late");
    match facts.current.filter(|_| marks) {
        None => Opinion::GoOn,
        Some(current) if current.kind != StateType::Scheduled => {
            Opinion::stay("Only scheduled flows can be marked late.")
        }
        Some(current) if current.name == "Late" => {
            Opinion::stay("This flow run is already marked late.")
        }
        Some(_) => Opinion::GoOn,
    }
}

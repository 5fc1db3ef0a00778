//! A run that was taken from a worker that fell silent is not executed for that one, too.
//!
//! Prefect's server has no such rule: there a run stays with the worker that took it first, even
//! when that one is gone.

use crate::domain::rules::{Draft, Facts, Opinion};
use crate::domain::state::StateType;
use crate::domain::time::Timestamp;

/// Aborts what would execute a run for another worker than the one that took it last, unless the
/// run waits to be taken.
pub(in crate::domain::rules) fn by_another(
    facts: &Facts<'_>,
    draft: &mut Draft,
    _now: Timestamp,
) -> Opinion {
    use StateType::{Pending, Running, Scheduled};
    let is_step = matches!(draft.proposed.kind, Pending | Running);
    if !is_step || facts.from() == Some(Scheduled) {
        return Opinion::GoOn;
    }
    match (&draft.proposed.worker, facts.taken_by) {
        (Some(worker), Some(taker)) if worker != taker => {
            Opinion::abort(format!("This run was taken by the worker '{taker}'."))
        }
        _ => Opinion::GoOn,
    }
}

//! Where the parameters of a task lie that was handed in stays known until it runs.
//!
//! Mirrors `CopyTaskParametersID`.

use crate::domain::rules::{Draft, Facts, Opinion};
use crate::domain::state::StateType;
use crate::domain::time::Timestamp;

const ID: &str = "task_parameters_id";

/// Copies the id of the parameters on the way to a running state.
pub(in crate::domain::rules) fn copy(
    facts: &Facts<'_>,
    draft: &mut Draft,
    _now: Timestamp,
) -> Opinion {
    use StateType::{Pending, Running, Scheduled};
    let Some(current) = facts.current else {
        return Opinion::GoOn;
    };
    let goes_on = matches!(current.kind, Scheduled | Pending)
        && matches!(draft.proposed.kind, Pending | Running);
    let extra = &mut draft.proposed.details.extra;
    if goes_on
        && !extra.contains_key(ID)
        && let Some(id) = current.details.extra.get(ID)
    {
        extra.insert(ID.to_owned(), id.clone());
    }
    Opinion::GoOn
}

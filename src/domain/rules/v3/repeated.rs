//! A step that is told twice is taken once.
//!
//! Mirrors `PreventDuplicateTransitions`.

use crate::domain::rules::{Draft, Facts, Opinion};
use crate::domain::time::Timestamp;

/// Stays where the run came by the very step that is proposed.
pub(in crate::domain::rules) fn refuse(
    facts: &Facts<'_>,
    draft: &mut Draft,
    _now: Timestamp,
) -> Opinion {
    let came_by = facts.current.and_then(|state| state.details.transition_id);
    match came_by.is_some() && came_by == draft.proposed.details.transition_id {
        true => Opinion::stay("This run has already made this state transition."),
        false => Opinion::GoOn,
    }
}

//! A task run that has ended stays ended.
//!
//! Mirrors `PreventTransitionsFromTerminalStates` of the 2.0a7 server, which asks it of task
//! runs only: a flow run may be started again from any state.

use crate::domain::rules::{Draft, Facts, Opinion, Verdict};
use crate::domain::state::StateType;
use crate::domain::time::Timestamp;

/// Aborts every step out of a terminal state.
pub(in crate::domain::rules) fn protect(
    facts: &Facts<'_>,
    _draft: &mut Draft,
    _now: Timestamp,
) -> Opinion {
    if facts.from().is_some_and(StateType::is_terminal) {
        return Opinion::settled(Verdict::Abort {
            why: "This run has already terminated.".to_owned(),
        });
    }
    Opinion::GoOn
}

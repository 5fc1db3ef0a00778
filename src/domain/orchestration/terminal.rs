//! A task run that has ended stays ended.
//!
//! Mirrors `PreventTransitionsFromTerminalStates` of the 2.0a7 server, which asks it of task
//! runs only: a flow run may be started again from any state.

use super::{Facts, Opinion, Verdict, from};
use crate::domain::state::{ProposedState, StateType};
use crate::domain::time::Timestamp;

/// Aborts every step out of a terminal state.
pub(super) fn protect(facts: &Facts<'_>, _proposed: &ProposedState, _now: Timestamp) -> Opinion {
    if from(facts).is_some_and(StateType::is_terminal) {
        return Opinion::settled(Verdict::Abort {
            why: "This run has already terminated.".to_owned(),
        });
    }
    Opinion::GoOn
}

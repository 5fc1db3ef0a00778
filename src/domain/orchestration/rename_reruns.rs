//! A task that runs once more says so in its state's name.
//!
//! Mirrors `RenameReruns` of the 2.0a7 server.

use super::{Facts, Opinion};
use crate::domain::state::{ProposedState, StateType};
use crate::domain::time::Timestamp;

/// "Retrying" after "AwaitingRetry", "Rerunning" after anything else.
pub(super) fn rename(facts: &Facts<'_>, proposed: &ProposedState, _now: Timestamp) -> Opinion {
    if proposed.kind != StateType::Running || facts.run_count == 0 {
        return Opinion::GoOn;
    }
    match facts.current {
        Some(state) if state.name == "AwaitingRetry" => Opinion::Rename("Retrying"),
        Some(_) => Opinion::Rename("Rerunning"),
        None => Opinion::GoOn,
    }
}

//! A task that runs once more says so in its state's name.
//!
//! Mirrors `RenameReruns` of the 2.0a7 server.

use crate::domain::rules::{Draft, Facts, Opinion};
use crate::domain::state::StateType;
use crate::domain::time::Timestamp;

/// "Retrying" after "AwaitingRetry", "Rerunning" after anything else.
pub(in crate::domain::rules) fn rename(
    facts: &Facts<'_>,
    draft: &mut Draft,
    _now: Timestamp,
) -> Opinion {
    if draft.proposed.kind != StateType::Running || facts.run_count == 0 {
        return Opinion::GoOn;
    }
    let name = facts.current.map(|state| match state.name.as_str() {
        "AwaitingRetry" => "Retrying".to_owned(),
        _ => "Rerunning".to_owned(),
    });
    draft.proposed.name = name.or(draft.proposed.name.take());
    Opinion::GoOn
}

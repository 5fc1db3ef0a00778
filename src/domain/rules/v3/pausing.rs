//! A flow run comes to a pause.
//!
//! Mirrors `HandlePausingFlows`.

use uuid::Uuid;

use crate::domain::rules::{Consequence, Draft, Facts, Opinion, Passage};
use crate::domain::state::StateType;
use crate::domain::time::Timestamp;

/// The most pauses that one attempt comes through.
const MOST_PAUSES: usize = 10_000;

/// Lets a running flow pause, by each of its pauses once. One whose process ends meanwhile must
/// be a deployment's, so that another begins it again, and no sub-flow.
pub(in crate::domain::rules) fn pause(
    facts: &Facts<'_>,
    draft: &mut Draft,
    _now: Timestamp,
) -> Opinion {
    let proposed = &draft.proposed;
    if proposed.kind != StateType::Paused {
        return Opinion::GoOn;
    }
    let verb = match proposed.name.as_deref() {
        Some("Suspended") => "suspend",
        _ => "pause",
    };
    let Some(current) = facts.current else {
        return Opinion::abort(format!("Cannot {verb} flows with no state."));
    };
    if current.kind != StateType::Running {
        return Opinion::stay(format!(
            "Cannot {verb} flows that are not currently running."
        ));
    }
    let key = proposed.details.pause_key.clone();
    let known = &draft.policy.pause_keys;
    if key.as_ref().is_some_and(|key| known.contains(key)) {
        return Opinion::stay(format!("This {verb} has already fired."));
    }
    if known.len() >= MOST_PAUSES {
        return Opinion::abort(format!("A flow pauses at most {MOST_PAUSES} times."));
    }
    if proposed.details.pause_reschedule && facts.has_parent {
        return Opinion::abort(format!("Cannot {verb} subflows."));
    }
    if proposed.details.pause_reschedule && !facts.is_deployed {
        return Opinion::abort(format!("Cannot {verb} flows without a deployment."));
    }
    draft.passage = Some(Passage::Into(key.unwrap_or_else(new_key)));
    if let Some(keys) = proposed.details.run_input_keyset.clone() {
        // What lies there was handed in for an earlier attempt.
        draft.consequences.push(Consequence::DropInputs(keys));
    }
    Opinion::GoOn
}

/// A key that no other pause has.
fn new_key() -> String {
    Uuid::new_v4().to_string()
}

//! A task runs while its flow does.
//!
//! Mirrors `PreventRunningTasksFromStoppedFlows` and `UpdateFlowRunTrackerOnTasks`.

use crate::domain::rules::{Consequence, Draft, Facts, Opinion};
use crate::domain::state::{ProposedState, StateType};
use crate::domain::time::Timestamp;

/// Lets a task run only where its flow runs; where that is paused it waits for it.
pub(in crate::domain::rules) fn runs(
    facts: &Facts<'_>,
    draft: &mut Draft,
    _now: Timestamp,
) -> Opinion {
    if draft.proposed.kind != StateType::Running {
        return Opinion::GoOn;
    }
    let Some(flow) = facts.enclosing else {
        return Opinion::GoOn;
    };
    match flow.state {
        Some(state) if state.kind == StateType::Running => Opinion::GoOn,
        Some(state) if state.kind == StateType::Paused => {
            let mut paused = ProposedState::new(StateType::Paused).named("NotReady");
            paused.details.pause_timeout = state.details.pause_timeout;
            paused.details.pause_reschedule = state.details.pause_reschedule;
            Opinion::reject(
                paused,
                "The flow is paused, new tasks can execute after resuming the flow run.",
            )
        }
        _ => Opinion::abort("The enclosing flow must be running to begin task execution."),
    }
}

/// A task that runs belongs to this attempt of its flow.
pub(in crate::domain::rules) fn count(
    facts: &Facts<'_>,
    draft: &mut Draft,
    _now: Timestamp,
) -> Opinion {
    if let (StateType::Running, Some(flow)) = (draft.proposed.kind, facts.enclosing) {
        draft
            .consequences
            .push(Consequence::OfAttempt(flow.run_count));
    }
    Opinion::GoOn
}

//! A flow run leaves a pause.
//!
//! Mirrors `HandleResumingPausedFlows`.

use crate::domain::rules::{Draft, Facts, Opinion, Passage};
use crate::domain::state::{ProposedState, StateType};
use crate::domain::time::Timestamp;

/// Lets a paused run go on, be stopped or end, in time. A pause that is over ends it as Failed.
pub(in crate::domain::rules) fn leave(
    facts: &Facts<'_>,
    draft: &mut Draft,
    now: Timestamp,
) -> Opinion {
    use StateType::{Cancelling, Failed, Paused, Running, Scheduled};
    let Some(paused) = facts.current.filter(|state| state.kind == Paused) else {
        return Opinion::GoOn;
    };
    let proposed = &draft.proposed;
    let to = proposed.kind;
    if !matches!(to, Running | Scheduled | Cancelling) && !to.is_terminal() {
        return Opinion::stay(format!(
            "This run cannot transition to the {to} state from the {} state.",
            paused.kind
        ));
    }
    let name = proposed.name.clone().unwrap_or_else(|| to.default_name());
    let name = name.to_lowercase();
    let begins_anew = paused.details.pause_reschedule;
    if begins_anew && !facts.is_deployed {
        return Opinion::stay(format!(
            "Cannot reschedule a {name} flow run without a deployment."
        ));
    }
    draft.passage = Some(
        match !begins_anew && to == Scheduled && facts.client.knows_pauses {
            true => Passage::Anew,
            false => Passage::OutOf,
        },
    );
    let is_over = paused.details.pause_timeout.is_some_and(|end| end < now);
    match is_over && to != Cancelling {
        true => Opinion::reject(
            ProposedState::new(Failed).because(format!("The flow was {name} and never resumed.")),
            "The flow run pause has timed out and can no longer resume.",
        ),
        false => Opinion::GoOn,
    }
}

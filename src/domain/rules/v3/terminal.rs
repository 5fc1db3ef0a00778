//! What has ended stays ended, unless it is begun anew and loses nothing by it.
//!
//! Mirrors `HandleFlowTerminalStateTransitions`, `PreventResultDataLoss` and
//! `HandleTaskTerminalStateTransitions`.

use serde_json::Value;

use crate::domain::flow_run_policy::RetryType;
use crate::domain::rules::{Consequence, Draft, Facts, Opinion};
use crate::domain::state::{State, StateType};
use crate::domain::time::Timestamp;

/// Why a completed state is not entered over another.
const LOSS: &str = "Cannot overwrite a COMPLETED state that carries persisted result data with \
                    one that does not.";

/// The state that a run has ended in.
fn ended<'a>(facts: &Facts<'a>) -> Option<&'a State> {
    facts.current.filter(|state| state.kind.is_terminal())
}

/// Whether a state's data leads to a result that is kept somewhere.
fn is_persisted(data: Option<&Value>) -> bool {
    let fields = data.and_then(Value::as_object);
    fields.is_some_and(|fields| {
        !fields.is_empty() && fields.get("type").and_then(Value::as_str) != Some("unpersisted")
    })
}

fn has_result(state: &State) -> bool {
    state.kind == StateType::Completed && is_persisted(state.data.as_ref())
}

/// Lets a flow run leave its end only for another attempt.
pub(in crate::domain::rules) fn flow_run(
    facts: &Facts<'_>,
    draft: &mut Draft,
    now: Timestamp,
) -> Opinion {
    use StateType::{Cancelling, Crashed, Paused, Scheduled};
    let Some(ended) = ended(facts) else {
        return Opinion::GoOn;
    };
    let to = draft.proposed.kind;
    if matches!(to, Cancelling | Paused | Crashed) {
        return Opinion::abort(format!("Run is already in terminal state {}.", ended.kind));
    }
    if !to.is_terminal() && has_result(ended) {
        return Opinion::stay("Run is already COMPLETED.");
    }
    if let Opinion::Settled(verdict) = keep_result(facts, draft, now) {
        return Opinion::Settled(verdict);
    }
    if to == Scheduled && !facts.is_deployed {
        return Opinion::abort("Cannot reschedule a run without an associated deployment.");
    }
    if !to.is_terminal() && facts.client.knows_pauses {
        let retry_type = (to == Scheduled).then_some(RetryType::Reschedule);
        draft.policy = std::mem::take(&mut draft.policy).begun_anew(retry_type);
    }
    Opinion::GoOn
}

/// Keeps a completed state whose result is kept from one without.
pub(in crate::domain::rules) fn keep_result(
    facts: &Facts<'_>,
    draft: &mut Draft,
    _now: Timestamp,
) -> Opinion {
    let proposed = &draft.proposed;
    let is_lost = proposed.kind == StateType::Completed
        && facts.current.is_some_and(has_result)
        && !is_persisted(proposed.data.as_ref());
    match is_lost {
        true => Opinion::stay(LOSS),
        false => Opinion::GoOn,
    }
}

/// Lets a task run leave its end only to be tried anew, then as if it had not run yet.
pub(in crate::domain::rules) fn task_run(
    facts: &Facts<'_>,
    draft: &mut Draft,
    _now: Timestamp,
) -> Opinion {
    use StateType::{Cancelling, Crashed, Paused, Running};
    let Some(ended) = ended(facts) else {
        return Opinion::GoOn;
    };
    let to = draft.proposed.kind;
    if matches!(to, Cancelling | Paused | Crashed) {
        return Opinion::abort(format!("Run is already {}.", ended.kind));
    }
    if has_result(ended) {
        return Opinion::stay("This run is already completed.");
    }
    if !to.is_terminal() {
        draft.consequences.push(Consequence::ResetRunCount);
    }
    let is_older = facts
        .enclosing
        .is_some_and(|flow| facts.flow_run_run_count < flow.run_count);
    if to == Running && is_older {
        draft.proposed.name = Some("Retrying".to_owned());
    }
    Opinion::GoOn
}

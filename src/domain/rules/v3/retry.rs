//! A failed attempt is followed by another while there are retries left.
//!
//! Mirrors `RetryFailedFlows` and `RetryFailedTasks`.

use crate::domain::flow_run_policy::RetryType;
use crate::domain::rules::{Consequence, Draft, Facts, Opinion, RunKind, Verdict};
use crate::domain::state::{ProposedState, StateType};
use crate::domain::time::{Span, Timestamp};

fn has_failed(facts: &Facts<'_>, draft: &Draft) -> bool {
    facts.from() == Some(StateType::Running) && draft.proposed.kind == StateType::Failed
}

/// Turns a flow's failure into another attempt of its process, due after its policy's delay.
pub(in crate::domain::rules) fn flow_run(
    facts: &Facts<'_>,
    draft: &mut Draft,
    now: Timestamp,
) -> Opinion {
    if !has_failed(facts, draft) {
        return Opinion::GoOn;
    }
    if draft
        .policy
        .retries
        .is_none_or(|most| facts.run_count > most)
    {
        draft.policy.retry_type = None;
        return Opinion::GoOn;
    }
    let secs = draft.policy.retry_delay.unwrap_or_default();
    let due = now + Span::from_micros(secs.saturating_mul(1_000_000));
    if facts.client.knows_pauses {
        draft.policy = std::mem::take(&mut draft.policy).begun_anew(Some(RetryType::InProcess));
    }
    let mut again = awaiting(due, &draft.proposed);
    again.details.lease = facts.current.and_then(|state| state.details.lease);
    Opinion::reject(again, "Retrying")
}

/// Turns a task's failure into another attempt, unless the client says that it is none to retry.
pub(in crate::domain::rules) fn task_run(
    facts: &Facts<'_>,
    draft: &mut Draft,
    now: Timestamp,
) -> Opinion {
    let is_final = draft.proposed.details.retriable == Some(false);
    let policy = facts.retries;
    if !has_failed(facts, draft) || is_final || facts.run_count > policy.max_retries {
        return Opinion::GoOn;
    }
    let delay = facts.next_delay.unwrap_or(policy.retry_delay);
    Opinion::reject(awaiting(now + delay, &draft.proposed), "Retrying")
}

/// The tasks that are tried again with their flow, where its client leaves that to the server.
pub(in crate::domain::rules) fn tasks(
    kind: RunKind,
    facts: &Facts<'_>,
    verdict: &Verdict,
) -> Option<Consequence> {
    let is_retry = matches!(verdict, Verdict::Reject { instead, .. }
        if instead.name.as_deref() == Some(AWAITING));
    let has_run = facts.from() == Some(StateType::Running);
    (kind == RunKind::FlowRun && is_retry && has_run && !facts.client.retries_tasks)
        .then_some(Consequence::RetryTasks)
}

/// What a run is called that is tried again.
pub(in crate::domain::rules) const AWAITING: &str = "AwaitingRetry";

fn awaiting(due: Timestamp, failure: &ProposedState) -> ProposedState {
    let mut again = ProposedState::scheduled(due).named(AWAITING);
    again.message.clone_from(&failure.message);
    again.data.clone_from(&failure.data);
    again
}

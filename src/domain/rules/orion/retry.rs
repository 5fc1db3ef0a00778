//! A failed attempt is followed by another while the task has retries left.
//!
//! Mirrors `RetryPotentialFailures` of the 2.0a7 server.

use crate::domain::rules::{Draft, Facts, Opinion, Verdict};
use crate::domain::state::{ProposedState, StateType};
use crate::domain::time::Timestamp;

/// Turns a failure into "AwaitingRetry", due after the policy's delay.
pub(in crate::domain::rules) fn failed_attempt(
    facts: &Facts<'_>,
    draft: &mut Draft,
    now: Timestamp,
) -> Opinion {
    let (policy, proposed) = (facts.retries, &draft.proposed);
    let failed = facts.from() == Some(StateType::Running) && proposed.kind == StateType::Failed;
    if !failed || facts.run_count > policy.max_retries {
        return Opinion::GoOn;
    }
    let mut instead = ProposedState::scheduled(now + policy.retry_delay).named("AwaitingRetry");
    instead.message.clone_from(&proposed.message);
    instead.data.clone_from(&proposed.data);
    Opinion::settled(Verdict::Reject {
        instead,
        why: "Retrying",
    })
}

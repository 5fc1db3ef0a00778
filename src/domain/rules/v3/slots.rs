//! A deployment's limit on how many of its runs go on at once.
//!
//! Mirrors `PreserveDeploymentConcurrencyLeaseId`, `SecureFlowConcurrencySlots`,
//! `ValidateDeploymentConcurrencyAtRunning` and `EnforceDeploymentConcurrencyOnLate`.

use crate::domain::rules::common::slots::takes_slot;
use crate::domain::rules::{Consequence, Draft, Facts, Limit, Opinion, Slot, WhenFull};
use crate::domain::state::{ProposedState, StateType};
use crate::domain::time::{Span, Timestamp};

/// How long a run waits before it looks for a slot again.
const WAIT: Span = Span::from_micros(30 * 1_000_000);
/// Why a run does not get one.
const REACHED: &str = "Deployment concurrency limit reached.";

/// The run's hold on a slot is told of its next state, too.
pub(in crate::domain::rules) fn keep_lease(
    facts: &Facts<'_>,
    draft: &mut Draft,
    _now: Timestamp,
) -> Opinion {
    let before = facts.current.and_then(|state| state.details.lease);
    let told = &mut draft.proposed.details.lease;
    *told = told.or(before);
    Opinion::GoOn
}

/// A run takes a slot when it is submitted.
pub(in crate::domain::rules) fn take(
    facts: &Facts<'_>,
    draft: &mut Draft,
    now: Timestamp,
) -> Opinion {
    let is_begun = facts.from().is_some_and(takes_slot);
    let Some(limit) = facts.limit else {
        return Opinion::GoOn;
    };
    if draft.proposed.kind != StateType::Pending || is_begun {
        return Opinion::GoOn;
    }
    if limit.slots == 0 {
        return Opinion::abort(
            "The deployment concurrency limit is 0. The flow will deadlock if submitted again.",
        );
    }
    if limit.has_room() {
        hold(draft, limit);
        return Opinion::GoOn;
    }
    match limit.when_full {
        WhenFull::Enqueue => {
            let later = ProposedState::scheduled(now + WAIT).named("AwaitingConcurrencySlot");
            Opinion::reject(later, REACHED)
        }
        WhenFull::CancelNew => Opinion::reject(cancelled(REACHED), REACHED),
    }
}

/// A run that begins renews its hold. One that has lost it looks for another, and is cancelled
/// where there is none: its process is there and cannot wait.
pub(in crate::domain::rules) fn renew(
    facts: &Facts<'_>,
    draft: &mut Draft,
    _now: Timestamp,
) -> Opinion {
    use StateType::{Pending, Running};
    if facts.from() != Some(Pending) || draft.proposed.kind != Running {
        return Opinion::GoOn;
    }
    let Some(limit) = facts.limit.filter(|_| facts.client.renews_slots) else {
        return Opinion::GoOn;
    };
    match facts.slot {
        Slot::None => Opinion::GoOn,
        Slot::Held(lease) => {
            draft.proposed.details.lease = Some(lease);
            let grace = limit.grace;
            draft.consequences.push(Consequence::RenewSlot { grace });
            Opinion::GoOn
        }
        Slot::Lost if limit.has_room() => {
            hold(draft, limit);
            Opinion::GoOn
        }
        Slot::Lost => Opinion::reject(
            cancelled(
                "Deployment concurrency slot lost during provisioning - no slots available to \
                 continue execution",
            ),
            "Deployment concurrency limit reached after lease expiry.",
        ),
    }
}

/// A run that should have begun is cancelled where its deployment wants no run to wait.
pub(in crate::domain::rules) fn cancel_late(
    facts: &Facts<'_>,
    draft: &mut Draft,
    _now: Timestamp,
) -> Opinion {
    let is_late = draft.proposed.name.as_deref() == Some("Late");
    let full = facts.limit.filter(|limit| !limit.has_room());
    match full.map(|limit| limit.when_full) {
        Some(WhenFull::CancelNew) if is_late => Opinion::reject(
            cancelled(REACHED),
            "Deployment concurrency limit is full and uses the CANCEL_NEW strategy.",
        ),
        _ => Opinion::GoOn,
    }
}

fn hold(draft: &mut Draft, limit: Limit) {
    let (lease, grace) = (limit.next, limit.grace);
    draft.proposed.details.lease = Some(lease);
    draft
        .consequences
        .push(Consequence::TakeSlot { lease, grace });
}

fn cancelled(why: &str) -> ProposedState {
    ProposedState::new(StateType::Cancelled).because(why)
}

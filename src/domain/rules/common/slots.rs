//! A flow run that goes on no longer holds no slot of its deployment.
//!
//! Mirrors `ReleaseFlowConcurrencySlots` and `RemoveDeploymentConcurrencyLeaseForOldClientVersions`
//! of the 3.9 server. They hold in every generation: the deployment may have been given its limit
//! by a client of another one than the run's.

use crate::domain::rules::{Consequence, Draft, Facts, Opinion, Slot, Verdict};
use crate::domain::state::StateType;
use crate::domain::time::Timestamp;

/// What a step means for the slot that the run holds.
pub(in crate::domain::rules) fn released(facts: &Facts<'_>, verdict: &Verdict) -> Vec<Consequence> {
    let (entered, is_rejected) = match verdict {
        Verdict::Accept(state) => (state, false),
        Verdict::Reject { instead, .. } => (instead, true),
        Verdict::Stay { .. } | Verdict::Wait { .. } | Verdict::Abort { .. } => return Vec::new(),
    };
    let keeps_process = is_rejected && entered.name.as_deref() == Some("AwaitingRetry");
    let is_over = facts.from().is_some_and(takes_slot) && !takes_slot(entered.kind);
    match facts.slot != Slot::None && is_over && !keeps_process {
        true => vec![Consequence::GiveBackSlot],
        false => Vec::new(),
    }
}

/// Whether a run in such a state holds a slot.
pub(in crate::domain::rules) const fn takes_slot(kind: StateType) -> bool {
    matches!(
        kind,
        StateType::Pending | StateType::Running | StateType::Cancelling
    )
}

/// A client that does not renew its hold keeps its slot until it gives it back.
pub(in crate::domain::rules) fn keep_for_older_clients(
    facts: &Facts<'_>,
    draft: &mut Draft,
    _now: Timestamp,
) -> Opinion {
    use StateType::{Cancelling, Pending, Running};
    let begins =
        facts.from() == Some(Pending) && matches!(draft.proposed.kind, Running | Cancelling);
    if begins && !facts.client.renews_slots && facts.slot != Slot::None {
        draft.consequences.push(Consequence::KeepSlot);
    }
    Opinion::GoOn
}

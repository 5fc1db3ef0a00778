//! The limits of a task run's tags.
//!
//! Mirrors `SecureTaskConcurrencySlots`.

use crate::domain::rules::{Consequence, Draft, Facts, Opinion, TagSlots, Verdict};
use crate::domain::state::StateType;
use crate::domain::time::Timestamp;

/// A task run that runs takes a slot of each, and waits where one has none free.
pub(in crate::domain::rules) fn take(
    facts: &Facts<'_>,
    draft: &mut Draft,
    _now: Timestamp,
) -> Opinion {
    if draft.proposed.kind != StateType::Running {
        return Opinion::GoOn;
    }
    match facts.tags {
        TagSlots::Unlimited => Opinion::GoOn,
        TagSlots::Free => {
            draft.consequences.push(Consequence::TakeTagSlots);
            Opinion::GoOn
        }
        TagSlots::Full { tags, delay_secs } => Opinion::settled(Verdict::Wait {
            delay_secs,
            why: format!("Concurrency limit reached for tags: {tags}"),
        }),
        TagSlots::Never(tag) => Opinion::abort(format!(
            "The concurrency limit on tag \"{tag}\" is 0 and will deadlock if the task tries to \
             run again."
        )),
    }
}
